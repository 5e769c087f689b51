import { expect, test } from "vitest";
import { startRouter, trapOf } from "../testing/scripts.ts";

/** The well-known way to make an API user, as it is pasted into routers. */
const CREATE_API_USER = `
:local password "s3cret";

# Find and remove the existing API user
:if ([:len [/user find name="fleet-api"]] = 1) do={
    /log info "Fleet: removing fleet-api user";
    /user remove [find name="fleet-api"];
};

# Create a new API user
:do {
    /log info "Fleet: creating fleet-api user";
    /user add name="fleet-api" group=full disabled=no password="$password" address="192.0.2.5" comment="Fleet automation - do not remove";
} on-error={
    /log error "Fleet: failed to create fleet-api user";
};

# Restrict the API service to a trusted IP address
:do {
    /log info "Fleet: updating API service";
    /ip service set [find where name="telnet"] port=8730 disabled=no address="192.0.2.5";
} on-error={
    /log error "Fleet: failed to update API service";
};
`;

test.each(["6.49.17", "7.9", "7.16", "7.18"])(
  "the script that makes an API user runs unchanged on %s, once and again",
  async (version) => {
    await using on = await startRouter({ version });
    await on.client.run("/system/script/add", "=name=s", `=source=${CREATE_API_USER}`);
    expect(await on.client.run("/system/script/run", "=number=s")).toEqual([["!done"]]);
    expect(await on.client.run("/system/script/run", "=number=0")).toEqual([["!done"]]);
    expect(on.router.control.rows("/user").filter(({ name }) => name === "fleet-api")).toMatchObject([
      { group: "full", address: "192.0.2.5/32", comment: "Fleet automation - do not remove" },
    ]);
    expect(on.router.control.wouldAuthenticate("fleet-api", "s3cret", "192.0.2.5")).toBe(true);
    const telnet = on.router.control.rows("/ip/service").find(({ name }) => name === "telnet");
    expect(telnet).toMatchObject({ port: "8730", address: "192.0.2.5/32", disabled: "false" });
    const messages = on.router.control.rows("/log").map(({ topics, message }) => `${topics}: ${message}`);
    expect(messages.filter((line) => line.includes("Fleet"))).toEqual([
      "script,info: Fleet: creating fleet-api user",
      "script,info: Fleet: updating API service",
      "script,info: Fleet: removing fleet-api user",
      "script,info: Fleet: creating fleet-api user",
      "script,info: Fleet: updating API service",
    ]);
  },
);

test("the same script fails into its on-error where the service is named ambiguously", async () => {
  await using on = await startRouter({ version: "7.19.4" });
  const source = ':do { /ip service set [find where name="api"] disabled=no } on-error={ :put failed }';
  expect(await on.script(source)).toBe("failed\n");
  const careful =
    ':do { /ip service set [find where name="api" and !dynamic] disabled=no; :put done } on-error={}';
  expect(await on.script(careful)).toBe("done\n");
});

test("a rule is put in front of the drop rule, by find, by comment and by its number", async () => {
  await using on = await startRouter();
  await on.script(`
    /ip firewall filter
    add chain=input action=accept connection-state=established,related comment="keep"
    add chain=input action=drop src-address=203.0.113.0/24 comment="drop all"
    add chain=input action=accept comment=a place-before=[find where comment="drop all"]
    add chain=input action=accept comment=b place-before="drop all"
    add chain=input action=accept comment=c place-before=0
    add chain=input action=accept comment=d place-before=([find chain=input]->0)
  `);
  const comments = () => on.router.control.rows("/ip/firewall/filter").map(({ comment }) => comment);
  expect(comments()).toEqual(["d", "c", "keep", "a", "b", "drop all"]);
  await on.script('/ip firewall filter move [find comment="drop all"] destination=0');
  await on.script('/ip/firewall/filter disable [find where comment~"^[ab]\\$"]');
  expect(comments()[0]).toBe("drop all");
  expect(await on.script(":put [/ip firewall filter print count-only where disabled]")).toBe("2\n");
  expect(await on.script("/ip firewall filter add chain=input place-before=[find comment=nobody]")).toBe(
    "trap: no such item",
  );
});

test("a property hides a variable of its name in a condition", async () => {
  await using on = await startRouter();
  const count = (name: string) =>
    on.script(`:local ${name} "ssh"; :put [:len [/ip service find where name=$${name}]]`);
  expect(await count("wanted")).toBe("1\n");
  expect(Number(await count("name"))).toBeGreaterThan(5);
});

test("find, get, set, enable, disable and remove work on what find found", async () => {
  await using on = await startRouter();
  expect(
    await on.script(`
      /user add name=a group=read password=x comment=old
      /user add name=b group=read password=x
      :put [/user get [find name=a] group]
      :put [:typeof [/user get a disabled]]
      :if ([/user get a disabled] = false) do={ :put on }
      /user disable a,b
      :put [/user print count-only where disabled=yes]
      /user set [find where disabled] group=write !comment
      :foreach u in=[/user find where group=write] do={ :put [/user get $u name] }
      :put ([/user get a]->"group")
      :put [:typeof [/user get a comment]]
      /user enable [find]
      /user remove [find where name~"^[ab]\\$"]
      /user remove [find where name=nobody]
      :put [:len [/user find]]
    `),
  ).toBe("read\nbool\non\n2\na\nb\nwrite\nnothing\n1\n");
});

test("print prints in the console's style, as values, and to a file", async () => {
  await using on = await startRouter({ version: "7.16", identity: "gw" });
  expect(await on.script("/system identity print")).toBe("  name: gw\n\n");
  expect(await on.script("/ip service print where name=ssh or name=telnet")).toMatch(
    /^Columns: NAME, PORT, CERTIFICATE, VRF\n#\s+NAME\s+PORT\s+CERTIFICATE\s+VRF\n0\s+telnet\s+23.*\n1\s+ssh\s+\d+/,
  );
  expect(await on.script(':put ([/system identity print as-value]->"name")')).toBe("gw\n");
  expect(await on.script(':put ([/user print as-value where name=admin]->0->"group")')).toBe("full\n");
  await on.script("/system identity print file=id");
  expect(on.router.control.rows("/file")).toMatchObject([{ name: "id.txt", contents: "  name: gw\n\n" }]);
});

test("every run has the rights of its user, whatever the script", async () => {
  await using on = await startRouter({ users: [{ name: "reader", password: "p", group: "read" }] });
  const { RawClient } = await import("../testing/raw-client.ts");
  using reader = await RawClient.login(on.router.port("api"), { username: "reader", password: "p" });
  const refused = await reader.run(
    "/execute",
    "=script=/user add name=x group=full password=x",
    "=as-string=",
  );
  expect(trapOf(refused)).toBe("not enough permissions (9)");
  const read = await reader.run("/execute", "=script=:put [/system identity get name]", "=as-string=");
  expect(read).toEqual([["!done", "=ret=MikroTik\r\n"]]);
});

test("bytes of any kind go through a script and come out as they were", async () => {
  await using on = await startRouter();
  await on.script('/ip firewall filter add chain=input comment="\\E9\\00\\22\\C3\\A9"');
  expect(await on.script(":put [:len [/ip firewall filter get 0 comment]]")).toBe("5\n");
  expect(await on.script(':put [:len [/ip firewall filter find comment="\\E9\\00\\22\\C3\\A9"]]')).toBe(
    "1\n",
  );
});

test("a certificate is made, signed and given to a service as the guides have it", async () => {
  await using on = await startRouter();
  expect(
    await on.script(`
      /ip service disable telnet
      /ip service set api-ssl address=162.243.141.52/32,192.168.10.15/32
      /certificate add name=api-cert common-name=router key-size=prime256v1 key-usage=digital-signature,tls-server
      /certificate sign api-cert
      /ip service set api-ssl certificate=api-cert
      :put [/ip service get api-ssl certificate]
    `),
  ).toMatch(/api-cert\n$/);
  const services = on.router.control.rows("/ip/service");
  expect(services.find(({ name }) => name === "telnet")?.disabled).toBe("true");
});

test("words come one after another where a command takes them by place", async () => {
  await using on = await startRouter();
  expect(await on.script('/log info "by place"; :put [/log print count-only where message="by place"]')).toBe(
    "1\n",
  );
  expect(await on.script(':put ([/ping 127.0.0.1 count=1 as-value]->"received")')).toBe("1\n");
  expect(
    await on.script(
      "/interface set [ find name=ether1 ] comment=uplink; :put [/interface get ether1 comment]",
    ),
  ).toBe("uplink\n");
});
