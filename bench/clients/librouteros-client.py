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
    count = lost = 0
    start = time.perf_counter()
    until = start + given["milliseconds"] / 1000
    while count == 0 or time.perf_counter() < until:
        rows = print_menu(given["menu"])
        if task == "rows":
            if count == 0:
                lost = given["rows"] - sum(len(row) >= given["attributes"] for row in rows)
            count += len(rows)
        else:
            count += 1
    return {"value": count / (time.perf_counter() - start), "lost": lost, "unanswered": 0}


for line in sys.stdin:
    message = json.loads(line)
    print(json.dumps(run(message["task"], message["input"])), flush=True)
