import { expect, test } from "vitest";
import { hostsOf } from "./hosts.ts";

const urls = (connection: string) => hostsOf(connection).map((host) => host.connection);
const labels = (connection: string) => hostsOf(connection).map(({ label }) => label);

test("one host is taken as it is written", () => {
  for (const url of [
    "postgresql://user:p%40ss@db.example:5433/name?sslmode=require",
    "postgresql://user@/name?host=/run/postgresql",
    "postgresql://localhost/name",
  ]) {
    expect(urls(url)).toEqual([url]);
  }
});

test("a list of hosts becomes an address each, with the same login, database and parameters", () => {
  expect(urls("postgresql://user:p,w@a:5432,[2001:db8::1]:5433,c/name?sslmode=require")).toEqual([
    "postgresql://user:p,w@a:5432/name?sslmode=require",
    "postgresql://user:p,w@[2001:db8::1]:5433/name?sslmode=require",
    "postgresql://user:p,w@c/name?sslmode=require",
  ]);
});

test("directories of unix sockets are listed in the parameter host, with a port each or one for all", () => {
  const split = urls("postgresql://user@/name?host=/run/a,/run/b&port=5432,5433").map(
    (url) => new URL(String(url).replace("@/", "@x/")).searchParams,
  );
  expect(split.map((parameters) => [parameters.get("host"), parameters.get("port")])).toEqual([
    ["/run/a", "5432"],
    ["/run/b", "5433"],
  ]);
  expect(labels("postgresql://user@/name?host=/run/a,/run/b&port=5432")).toEqual([
    "/run/a:5432",
    "/run/b:5432",
  ]);
});

test("settings beside a list of hosts go with each of them", () => {
  const settings = { connectionString: "postgresql://u@a,b/name", application_name: "one process" };
  expect(hostsOf(settings)).toEqual([
    { connection: { ...settings, connectionString: "postgresql://u@a/name" }, label: "a" },
    { connection: { ...settings, connectionString: "postgresql://u@b/name" }, label: "b" },
  ]);
});

test("a host's label holds neither user nor password", () => {
  expect(labels("postgresql://user:secret@a:5432,b/name?password=secret")).toEqual(["a:5432", "b"]);
  expect(labels("postgresql://user:secret@a:5432/name")).toEqual(["a:5432"]);
});

test("a list with a hole in it, or with another number of ports, is refused", () => {
  expect(() => hostsOf("postgresql://a,,b/name")).toThrow("names an empty host");
  expect(() => hostsOf("postgresql:///name?host=a,b,c&port=1,2")).toThrow("names 3 hosts and 2 ports");
});
