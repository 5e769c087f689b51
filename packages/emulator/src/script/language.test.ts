import { afterAll, beforeAll, expect, test } from "vitest";
import { startRouter, type TestRouter } from "../testing/scripts.ts";

let on: TestRouter;
beforeAll(async () => {
  on = await startRouter({ version: "7.22.1" });
});
afterAll(async () => {
  await on[Symbol.asyncDispose]();
});

test.each([
  [":put hello", "hello\n"],
  ['/put "hello"', "hello\n"],
  ['put "a b"; put c', "a b\nc\n"],
  [':put "\\48\\45\\4C\\4C\\4F\\r\\nThis"', "HELLO\nThis\n"],
  [':put "a\\"b\\\\c\\$d\\_e\\tf"', 'a"b\\c$d e\tf\n'],
  [":put (3+4)", "7\n"],
  [":put (1-6)", "-5\n"],
  [":put (4*5); :put (10 / 3); :put (5 % 3)", "20\n3\n2\n"],
  [":put (0x10 + 1)", "17\n"],
  [":put (2 + 3 * 4); :put ((2 + 3) * 4)", "14\n20\n"],
  [":put (3<4); :put (3>=4); :put (2=2); :put (2!=2)", "true\nfalse\ntrue\nfalse\n"],
  [
    ":put (!true); :put (true&&false); :put (true or false); :put (true and true)",
    "false\nfalse\ntrue\ntrue\n",
  ],
  [":put (1.1.1.1/32 in 1.0.0.0/8); :put (10.0.0.1 in 192.168.0.0/16)", "true\nfalse\n"],
  [
    ":put (192.168.88.77&0.0.0.255); :put (192.168.88.0|0.0.0.255); :put (~255.255.255.0)",
    "0.0.0.77\n192.168.88.255\n0.0.0.255\n",
  ],
  [":put (10.0.0.1 + 5); :put (10.0.0.6 - 10.0.0.1)", "10.0.0.6\n5\n"],
  [":put (1d + 5h); :put (00:00:30 + 30s)", "1d05:00:00\n00:01:00\n"],
  [':put ("concatenate" . " " . "string")', "concatenate string\n"],
  [":put ({1;2;3}, 5)", "1;2;3;5\n"],
  [':put ("abc" ~ "^a.c\\$"); :put ("abc" ~ "[[:digit:]]")', "true\nfalse\n"],
  [':local a 5; :local b 6; :put "5x6 = $($a * $b)"', "5x6 = 30\n"],
  [':put "We have $[ :len "my test" ] bytes"', "We have 7 bytes\n"],
  [':local "my-var" 5; :put $"my-var"', "5\n"],
  [':local x {a=1;"b-c"=2}; :put ($x->"a"); :put ($x->"b-c"); :put [:typeof ($x->"z")]', "1\n2\nnothing\n"],
  [":local x {5;6}; :put ($x->1)", "6\n"],
  [':local x {z=1;a=2}; :set ($x->"m") 3; :put $x', "a=2;m=3;z=1\n"],
  ["{ :local a 3; { :local b 4; :put ($a+$b) } }", "7\n"],
  ["{ :local a 3; { :global b 4 }; :global b; :put ($a+$b) }", "7\n"],
  [":if (true) do={:put yes} else={:put no}", "yes\n"],
  [':if ([:len ""] = 1) do={:put yes} else={:put no}', "no\n"],
  [":for i from=1 to=3 do={:put $i}", "1\n2\n3\n"],
  [":for i from= 6 to= 2 step=-2 do={:put $i}", "6\n4\n2\n"],
  [':foreach i in={1;"b"} do={:put "<$i>"}', "<1>\n<b>\n"],
  [':foreach k,v in={a=1;b=2} do={:put "$k is $v"}', "a is 1\nb is 2\n"],
  [":local i 0; :while ($i < 2) do={ :set i ($i + 1); :put $i }", "1\n2\n"],
  [":local i 0; :do { :set i ($i + 1); :put $i } while=($i < 2)", "1\n2\n"],
  [':do { :error "boom" } on-error={ :put caught }', "caught\n"],
  [':onerror e in={ :error "boom" } do={ :put "it was $e" }', "it was boom\n"],
  [":if ([:onerror e in={ :nothing } do={}]) do={:put bad} else={:put fine}", "fine\n"],
  [
    ":local n 0; :retry command={ :set n ($n + 1); :if ($n < 3) do={ :error no } } delay=0 max=5; :put $n",
    "3\n",
  ],
  [":retry command={ :error no } delay=0 max=2 do={ :put gave-up }", "gave-up\n"],
  [":put before; :exit; :put after", "before\n"],
  [":put before; :return 1; :put after", "before\n"],
  [':local f do={ :put "arg a=$a"; :put "arg 1=$1" }; $f a="x y" second', "arg a=x y\narg 1=second\n"],
  [":local f do={ :return ($a + $b) }; :put [$f a=6 b=2]", "8\n"],
  [
    ":global funcA do={ :return 5 }; :global funcB do={ :global funcA; :return ([$funcA] + 4) }; :put [$funcB]",
    "9\n",
  ],
  [':global my2 "123"; :global f do={ :global my2; :put $my2 }; $f my2=1234; :put $my2', "1234\n123\n"],
  [':local f [:parse ":put hello"]; $f', "hello\n"],
  ['[[:parse ":put hi"]]', "hi\n"],
  [":local f do={ :if ($1 < 2) do={ :return 1 }; :return 2 }; :put [$f 1]; :put [$f 5]", "1\n2\n"],
  [
    ":put [:typeof 5]; :put [:typeof 5s]; :put [:typeof 1.2.3.4]; :put [:typeof 1.2.3.0/24]",
    "num\ntime\nip\nip-prefix\n",
  ],
  [
    ":put [:typeof true]; :put [:typeof *1F]; :put [:typeof abc]; :put [:typeof {1;2}]; :put [:typeof ::1]",
    "bool\nid\nstr\narray\nip6\n",
  ],
  [":local x; :put [:typeof $x]", "nothing\n"],
  [':put [:typeof [:tonum "cow"]]; :put ([:tonum "5"] + 1)', "nil\n6\n"],
  [':put [:tobool "yes"]; :put [:toip "1.2.3.4"]; :put [:totime "00:01:00"]', "true\n1.2.3.4\n00:01:00\n"],
  [':put [:len "length=8"]; :put [:len {1;2;3}]; :put [:len [:toarray ""]]', "8\n3\n0\n"],
  [':put [:len "\\C3\\A9"]', "2\n"],
  [':put [:pick "abcde" 1 3]; :put [:pick "abcde" 1]; :put [:pick {1;2;3} 0 2]', "bc\nb\n1;2\n"],
  [':put [:find "abcabc" "b"]; :put [:find "abcabc" "b" 1]; :put [:typeof [:find "a" "z"]]', "1\n4\nnil\n"],
  [':put [:find "abc" "a" -1]', "0\n"],
  [":put [:tostr {1;2}]", "1;2\n"],
  [':put [:toarray "1,2,3,4,5"]', "1;2;3;4;5\n"],
  [':put [:serialize to=json value={"a";"b"}]', '["a","b"]\n'],
  [':put [:serialize to=json value={string="1234";number=1234}]', '{"number":1234,"string":1234.000000}\n'],
  [
    ':put [:serialize to=json value={string="1234"} options=json.no-string-conversion]',
    '{"string":"1234"}\n',
  ],
  [':put ([:deserialize from=json value="{\\"a\\": {\\"b\\": [1, 2]}}"]->"a"->"b"->1)', "2\n"],
  [":if ([:nothing] < 0) do={:put true} else={:put false}", "true\n"],
  ['# a comment\n:put a # another\n:put "not # one"; # third', "a\nnot # one\n"],
  [":put \\\n  a", "a\n"],
  [':put "a\\\n    b"', "ab\n"],
  [":if (1 = 1 \\\n && 2 = 2) do={\n  :put joined\n}", "joined\n"],
  [":put a\r\n:put b\r\n", "a\nb\n"],
  [":put a\r:put b", "a\nb\n"],
  [":local a {\n  1;\n  2\n}\n:put [:len $a]", "2\n"],
  [":put", "trap: syntax error (line 1 column 5)"],
  [":put $nobody", "trap: syntax error (line 1 column 7)"],
  [":set nobody 1", "trap: syntax error (line 1 column 6)"],
  [":put {}", "trap: syntax error (line 1 column 7)"],
  [":put a b", "trap: expected end of command (line 1 column 8)"],
  ["x", "trap: bad command name x (line 1 column 1)"],
  [":foo", "trap: bad command name foo (line 1 column 2)"],
  ["/interfaces print", "trap: bad command name interfaces (line 1 column 2)"],
  ["/ip service frobnicate", "trap: bad command name frobnicate (line 1 column 13)"],
  ["/user add nme=x", "trap: expected end of command (line 1 column 11)"],
  ["/user find where nme=x", "trap: expected end of command (line 1 column 18)"],
  [":put a\n:put (1", "trap: syntax error (line 2 column 8)"],
  [':put "open', "trap: syntax error (line 1 column 11)"],
  [":for i from = 1 to = 2 do={}", "trap: expected end of command (line 1 column 8)"],
  [":put a }", "trap: syntax error (line 1 column 8)"],
  ["// no comment", "trap: syntax error (line 1 column 2)"],
  ['/put "a\\q"', "trap: syntax error (line 1 column 8)"],
  ['/put "a\\?"', "trap: syntax error (line 1 column 8)"],
  ['/put "\\4a"', "trap: syntax error (line 1 column 7)"],
  [":if (5) do={}", "trap: conditional not boolean"],
  [":put (5 / 0)", "trap: division by zero"],
  [':error "told so"', "trap: told so"],
  ["/user add name=x", "trap: missing value(s) of argument(s) group password (/user/add; line 1)"],
  [":put a\n/user remove nobody", "trap: no such item (/user/remove; line 2)"],
  ["/ip service set nobody disabled=yes", "trap: no such item (/ip/service/set; line 1)"],
])("%j prints or says %j", async (source, expected) => {
  expect(await on.script(source)).toBe(expected);
});

test("a syntax error anywhere refuses the whole script before anything has run", async () => {
  expect(
    await on.script('/system identity set name=changed\n:do { :put "' + '(" } on-error={}\n/nonsense'),
  ).toContain("bad command name nonsense");
  expect(on.router.control.rows("/system/identity")).toEqual([{ name: "MikroTik" }]);
});

test("a command the version lacks is caught only where it is parsed while the script runs", async () => {
  const source = ':do { [[:parse "/ip service set api nonsense=1"]] } on-error={ :put caught }';
  expect(await on.script(source)).toBe("caught\n");
  expect(await on.script(":do { /ip service set api nonsense=1 } on-error={ :put caught }")).toContain(
    "expected end of command",
  );
});

test.each([
  [
    "an endless loop",
    ":while (true) do={}",
    "failure: the emulator does not do more than 1000000 steps in one script",
  ],
  ["a loop around nothing", ":for i from=1 to=999999999999 do={}", "steps in one script"],
  [
    "a recursion",
    ":global f do={ :global f; $f }; $f",
    "failure: the emulator does not do more than 100 calls inside one another",
  ],
  [
    "endless output",
    ':while (true) do={ :put "0123456789012345678901234567890123456789" }',
    "bytes of output",
  ],
  ["a text that doubles", ':local a "0123456789"; :while (true) do={ :set a "$a$a" }', "bytes in one value"],
])("%s is ended with an error that the script can't catch", async (_what, source, message) => {
  expect(await on.script(`:do { ${source} } on-error={ :put caught }`)).toContain(message);
});

test("a regular expression made to take for ever is abandoned", async () => {
  const source = `:put ("${"a".repeat(40)}!" ~ "^(a+)+b")`;
  expect(await on.script(source)).toBe("trap: bad regexp");
});

test("a question mark is escaped on RouterOS 6, and slashes inside a path are of RouterOS 7", async () => {
  await using six = await startRouter({ version: "6.49.17" });
  await six.client.run("/system/script/add", "=name=q", '=source=:put "a\\?"');
  expect(await six.client.run("/system/script/run", "=number=q")).toEqual([["!done", "=ret=a?"]]);
  await six.client.run("/system/script/set", "=numbers=q", "=source=/ip/service/print");
  expect((await six.client.run("/system/script/run", "=number=q")).flat()).toContain(
    "=message=syntax error (line 1 column 4)",
  );
});

test("commands of 7.24 work out values", async () => {
  await using newest = await startRouter({ version: "7.24", seed: "s" });
  const cases: [string, string][] = [
    [":put [:range 2 8]", "2;3;4;5;6;7;8\n"],
    [":put [:convert 001 to=hex]", "31\n"],
    [':put [:convert "abcd" to=base64]; :put [:convert from=base64 "YWJjZA=="]', "YWJjZA==\nabcd\n"],
    [':put [:convert transform=lc "AAA"]; :put [:convert "abc" transform=reverse]', "aaa\ncba\n"],
    [":put [:convert from=hex to=num 0100]; :put [:convert from=hex to=byte-array 0102ff]", "256\n1;2;255\n"],
    [':put [:convert from=raw to=base32 "foob"]; :put [:convert from=base32 "MZXW6YQ="]', "MZXW6YQ=\nfoob\n"],
    [':put [:convert "a b/\\C3" to=url]; :put [:convert from=url "a%20b"]', "a%20b%2F%C3\na b\n"],
    [':put [:convert from=raw transform=md5 to=hex "abc"]', "900150983cd24fb0d6963f7d28e17f72\n"],
    [":put [:tonsec value=10:00]", "36000000000000\n"],
    [':put [:len [:tocrlf "a\\nb\\r\\n"]]; :put [:len [:tolf "a\\r\\nb"]]', "6\n3\n"],
    [":put [:len [:rndstr]]; :put [:len [:rndstr from=ab length=33]]", "16\n33\n"],
    [":for i from=1 to=50 do={ :local n [:rndnum from=3 to=4]; :if ($n < 3 or $n > 4) do={ :put bad } }", ""],
    [
      ':grep script=":put a1; :put b; :put a2; :put c" pattern="^a" after=1; :put done',
      "a1\nb\na2\nc\ndone\n",
    ],
    [
      ':grep script=":put x1; :put y" pattern="x" filename=found.txt; :put [/file get found.txt contents]',
      "x1\n",
    ],
    [":put [:typeof [:timestamp]]; :beep frequency=500 length=1s", "time\n"],
    [
      "/ip dns static add name=gw.example address=192.0.2.9; :put [:resolve gw.example]; :put [:resolve 192.0.2.1]",
      "192.0.2.9\n192.0.2.1\n",
    ],
    [`:do { :resolve ${"a".repeat(70)} } on-error={ :put none }`, "none\n"],
  ];
  for (const [source, output] of cases) expect(await newest.script(source), source).toBe(output);
  await newest.client.run("/system/script/add", "=name=who", "=source=:put [:jobname]");
  expect(await newest.client.run("/system/script/run", "=number=who")).toEqual([["!done", "=ret=who"]]);
});

test.each([
  ["7.9", ":put [:convert 1 to=hex]"],
  ["7.16", ":put [:range 1 2]"],
  ["7.24", ":for i from=1 to=2 do={ :break }"],
  ["7.24", ":while (true) do={ :continue }"],
])("%s has no command for %s", async (version, source) => {
  await using other = await startRouter({ version });
  expect(await other.script(source)).toContain("trap: bad command name ");
});
