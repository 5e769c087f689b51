import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RouterClient } from "./client.ts";
import { ConnectError, InvalidValueError, LoginError, ProtocolError, RouterOsError } from "./errors.ts";
import { OTHER_CERTIFICATE, ROUTER_CERTIFICATE } from "./testing/certificates.ts";
import { type RawLine, RawPeer, rawSentence } from "./testing/raw-peer.ts";
import { LOGIN, rejection } from "./testing/with-router.ts";
import type { TlsOptions } from "./tls.ts";

/** A port nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  return typeof address === "object" && address ? address.port : 0;
}

/** Connect to a router that plays `script` from the first byte on; returns the error. */
async function refusal(script: (line: RawLine) => Promise<void>, options: object = {}): Promise<unknown> {
  await using peer = await RawPeer.listen(script);
  return await rejection(RouterClient.connect({ ...LOGIN, port: peer.port, ...options }));
}

const trap = (message: string) => async (line: RawLine) => {
  await line.read();
  line.send("!trap", `=message=${message}`);
  line.send("!done");
  await line.end();
};

describe("connecting", () => {
  test("where nobody listens says so, with the system's reason", async () => {
    const port = await freePort();
    const error = await rejection(RouterClient.connect({ ...LOGIN, port }));
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({
      code: "router-unreachable",
      stage: "tcp",
      host: "127.0.0.1",
      port,
      cause: { code: "ECONNREFUSED" },
    });
  });

  test("to a service whose address list does not admit us is no login failure", async () => {
    const error = await refusal(async (line) => void line.socket.end());
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ stage: "login", message: expect.stringContaining("address list") });
  });

  test("to a router that never answers ends at the deadline", async () => {
    const error = await refusal((line) => line.read().then(() => line.end()), { commandTimeoutMs: 20 });
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ stage: "login", cause: { code: "command-timeout" } });
  });

  test("to something else that talks first is a protocol error", async () => {
    const error = await refusal(async (line) => {
      line.socket.write(Buffer.from("\xff\xfb\x01telnet", "latin1"));
      await line.read();
      await line.end();
    });
    expect(error).toBeInstanceOf(ProtocolError);
  });

  test("can be aborted, before and during", async () => {
    const stop = new AbortController();
    const hanging = refusal(
      async (line) => {
        await line.read();
        stop.abort(new Error("changed my mind"));
        await line.end();
      },
      { signal: stop.signal },
    );
    expect(await hanging).toBe(stop.signal.reason);
    expect(await rejection(RouterClient.connect({ ...LOGIN, port: 1, signal: stop.signal }))).toBe(
      stop.signal.reason,
    );
  });

  test("leaves from the address asked for", async () => {
    let seen: string | undefined;
    await using peer = await RawPeer.listen(async (line) => {
      seen = line.socket.remoteAddress;
      await line.admit();
    });
    await using router = await RouterClient.connect({ ...LOGIN, port: peer.port, localAddress: "127.0.0.3" });
    expect(router.localAddress).toBe("127.0.0.3");
    expect(router.remoteAddress).toBe("127.0.0.1");
    expect(seen).toBe("127.0.0.3");
  });
});

describe("logging in", () => {
  test.each([
    ["invalid user name or password (6)", "credentials"],
    ["cannot log in", "credentials"],
    ["std failure: not allowed (9)", "not-allowed"],
    ["the moon is in the wrong place", "other"],
  ])("that is refused with %j is told as %s", async (message, reason) => {
    const error = await refusal(trap(message));
    expect(error).toBeInstanceOf(LoginError);
    expect(error).toMatchObject({
      code: "login-refused",
      reason,
      routerMessage: message,
      operation: "login",
    });
  });

  test("that ends in !fatal is refused, not unreachable", async () => {
    const error = await refusal(async (line) => {
      await line.read();
      line.send("!fatal", "too many commands before login");
    });
    expect(error).toBeInstanceOf(LoginError);
    expect(error).toMatchObject({ reason: "other", routerMessage: "too many commands before login" });
  });

  test("answered with a challenge is not logged in", async () => {
    const error = await refusal(async (line) => {
      await line.read();
      line.send("!done", "=ret=e9fe595b073f138ffbaa802c8c346667");
      await line.end();
    });
    expect(error).toMatchObject({ code: "login-refused", reason: "legacy-login-only" });
  });

  test.each(["", "xyz", "abc"])("by challenge refuses the challenge %j", async (challenge) => {
    const error = await refusal(
      async (line) => {
        expect(await line.read()).toEqual(["/login"]);
        line.send("!done", `=ret=${challenge}`);
        await line.end();
      },
      { legacyLogin: true },
    );
    expect(error).toBeInstanceOf(ProtocolError);
  });

  test("answered with anything at all ends in one of our errors or logged in", async () => {
    const sentence = fc.array(
      fc.oneof(
        fc.constantFrom(
          "!done",
          "!trap",
          "!re",
          "!empty",
          "!fatal",
          ".tag=1",
          "=ret=00",
          "=message=x",
          "/login",
        ),
        fc.string({ unit: "binary", minLength: 1, maxLength: 5 }),
      ),
      { minLength: 1, maxLength: 4 },
    );
    const answers = fc.sample(
      fc.tuple(fc.array(sentence, { maxLength: 3 }), fc.uint8Array({ maxLength: 4 })),
      200,
    );
    await using peer = await RawPeer.listen(async (line) => {
      await line.read();
      const [sentences, rest] = answers.pop() ?? [[], []];
      line.socket.end(Buffer.concat([...sentences.map((words) => rawSentence(words)), Buffer.from(rest)]));
    });
    const outcomes = await Promise.all(
      answers.map(() => RouterClient.connect({ ...LOGIN, port: peer.port }).catch((error: unknown) => error)),
    );
    for (const outcome of outcomes) {
      if (outcome instanceof RouterClient) outcome.close();
      else expect(outcome).toBeInstanceOf(RouterOsError);
    }
  });

  test("never shows the password, whatever the router says", async () => {
    const { password } = LOGIN;
    const errors = await Promise.all([
      refusal(trap(`cannot log in with ${password}`)),
      refusal(async (line) => {
        await line.read();
        line.send("!fatal", `bad password ${password}`);
      }),
      refusal((line) => line.read().then(() => line.end()), { commandTimeoutMs: 20 }),
      refusal(async (line) => {
        await line.read();
        line.socket.resetAndDestroy();
      }),
    ]);
    for (const error of errors) {
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(password);
      expect(JSON.stringify(error)).not.toContain(password);
    }
  });
});

describe("over TLS", () => {
  const anonymous = {
    ciphers: "ADH-AES256-GCM-SHA384:@SECLEVEL=0",
    dhparam: "auto",
    maxVersion: "TLSv1.2",
  } as const;

  /** Log in over TLS; returns what the client knows of the certificate, or the error. */
  async function over(server: object, tls: TlsOptions, more: object = {}): Promise<unknown> {
    await using peer = await RawPeer.listen(async (line) => {
      await line.admit();
      await line.end();
    }, server);
    const options = { ...LOGIN, port: peer.port, tls, ...more };
    const router = await RouterClient.connect(options).catch((error: unknown) => error);
    if (!(router instanceof RouterClient)) return router;
    await router.drain();
    return router.fingerprint ?? "no certificate";
  }

  const SHA256 = /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/;

  test("a certificate of the authority given, for the host connected to, is believed", async () => {
    expect(await over(ROUTER_CERTIFICATE, { ca: ROUTER_CERTIFICATE.cert })).toMatch(SHA256);
    const named = { ca: OTHER_CERTIFICATE.cert, servername: "other.test" };
    expect(await over(OTHER_CERTIFICATE, named)).toMatch(SHA256);
  });

  test("a certificate of another authority or host is not", async () => {
    const unknownAuthority = await over(ROUTER_CERTIFICATE, { ca: OTHER_CERTIFICATE.cert });
    const wrongHost = await over(OTHER_CERTIFICATE, { ca: OTHER_CERTIFICATE.cert });
    for (const error of [unknownAuthority, wrongHost]) {
      expect(error).toBeInstanceOf(ConnectError);
      expect(error).toMatchObject({ stage: "tls" });
    }
  });

  test("a pinned fingerprint admits that certificate alone, whatever it says", async () => {
    const fingerprint = String(
      await over(OTHER_CERTIFICATE, { ca: OTHER_CERTIFICATE.cert, servername: "other.test" }),
    );
    expect(await over(OTHER_CERTIFICATE, { fingerprint })).toBe(fingerprint);
    expect(
      await over(OTHER_CERTIFICATE, { fingerprint: fingerprint.replaceAll(":", "").toLowerCase() }),
    ).toBe(fingerprint);
    const error = await over(ROUTER_CERTIFICATE, { fingerprint });
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ stage: "tls", message: expect.stringContaining("another one") });
  });

  test("several pinned fingerprints admit each of their certificates, and none admits nobody", async () => {
    const fingerprint = [
      new X509Certificate(ROUTER_CERTIFICATE.cert),
      new X509Certificate(OTHER_CERTIFICATE.cert),
    ].map(({ fingerprint256 }) => fingerprint256);
    expect(await over(ROUTER_CERTIFICATE, { fingerprint })).toBe(fingerprint[0]);
    expect(await over(OTHER_CERTIFICATE, { fingerprint })).toBe(fingerprint[1]);
    expect(await over(ROUTER_CERTIFICATE, { fingerprint: [] })).toMatchObject({ stage: "tls" });
  });

  test("a fingerprint that is none is refused before connecting", async () => {
    const error = await rejection(RouterClient.connect({ ...LOGIN, port: 1, tls: { fingerprint: "ab:cd" } }));
    expect(error).toBeInstanceOf(InvalidValueError);
  });

  test("without a certificate only who asks for it by name connects", async () => {
    expect(await over(anonymous, { anonymousDh: true })).toBe("no certificate");
    const fingerprint = "00".repeat(32);
    for (const tls of [{ ca: ROUTER_CERTIFICATE.cert }, { fingerprint }]) {
      expect(await over(anonymous, tls)).toMatchObject({ code: "router-unreachable", stage: "tls" });
    }
    expect(await over(ROUTER_CERTIFICATE, { anonymousDh: true })).toMatchObject({ stage: "tls" });
  });

  test("a handshake that never ends is abandoned in time", async () => {
    const error = await refusal(
      async (line) => {
        line.socket.resume();
        await once(line.socket, "close");
      },
      { tls: { ca: ROUTER_CERTIFICATE.cert }, connectTimeoutMs: 50 },
    );
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ stage: "tls", message: expect.stringContaining("within 50 ms") });
  });
});
