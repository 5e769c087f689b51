"""Does what workers/client.ts does with python3-librouteros: one JSON task per line in, one JSON answer per line out."""
import json
import sys
import time

from librouteros import connect

api = None


def print_menu(menu):
    return list(api(menu + "/print"))


def run(task, given):
    global api
    if task == "connect":
        # Its default, ASCII, ends at the first accent.
        api = connect(
            host="127.0.0.1",
            port=given["port"],
            username=given["username"],
            password=given["password"],
            encoding="utf-8",
        )
        return None
    start = time.perf_counter()
    if task == "rows":
        for _ in range(given["times"]):
            rows = print_menu(given["menu"])
            if len(rows) != given["rows"] or len(rows[-1]) < given["attributes"]:
                raise RuntimeError("rows are missing")
        return {"rowsPerSecond": given["times"] * given["rows"] / (time.perf_counter() - start)}
    count = 0
    until = start + given["milliseconds"] / 1000
    while time.perf_counter() < until:
        print_menu(given["menu"])
        count += 1
    return {"commandsPerSecond": count / (time.perf_counter() - start)}


for line in sys.stdin:
    message = json.loads(line)
    print(json.dumps(run(message["task"], message["input"])), flush=True)
