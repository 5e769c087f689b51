import type { Credential } from "@portreeve/api-schema";
import { facts, table } from "../print.ts";
import { query } from "./input.ts";
import { siteId } from "./lists.ts";
import type { Run } from "./run-verb.ts";

const list: Run = async (api, [site = ""], { reveal }) => {
  const path = `/v1/control-plane/${await siteId(api, site)}/credentials`;
  const data = (await api.request("GET", path + query({ reveal: reveal === true }))) as Credential[];
  const head = ["username", ...(reveal ? ["password"] : []), "state", "deleted", "id"];
  const rows = data.map(({ username, password, state, deleted_at, id }) => [
    username,
    ...(reveal ? [password] : []),
    state,
    deleted_at,
    id,
  ]);
  return { data, text: table(head, rows) };
};

const rotate: Run = async (api, [site = ""]) => {
  const path = `/v1/control-plane/${await siteId(api, site)}/credentials`;
  const data = withoutPassword((await api.request("POST", path)) as Credential);
  return { data, text: facts({ Username: data.username, State: data.state, Id: data.id }) };
};

export const credentials = { list, rotate };

/** Passwords stay off screens and out of scripts' logs unless they are asked for. */
function withoutPassword(credential: Credential): Credential {
  return { ...credential, password: null };
}
