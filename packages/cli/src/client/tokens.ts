import { type CreatedToken, SCOPES, type Token, tokenInput } from "@portreeve/api-schema";
import { facts, table } from "../print.ts";
import { checked } from "./input.ts";
import { listAll } from "./lists.ts";
import type { Run } from "./run-verb.ts";

const list: Run = async (api) => {
  const data = await listAll<Token>(api, "/v1/tokens");
  const rows = data.map((token) => [
    token.name,
    stateOf(token),
    token.last_used_at,
    token.scopes.length === SCOPES.length ? "all" : token.scopes.join(","),
    token.id,
  ]);
  return { data, text: table(["name", "state", "last used", "scopes", "id"], rows) };
};

const create: Run = async (api, [name], { scopes, expiresAt }) => {
  const wanted = scopes === "all" ? SCOPES : String(scopes).split(",");
  const input = checked(tokenInput, { name, scopes: wanted, expires_at: expiresAt });
  const data = (await api.request("POST", "/v1/tokens", input)) as CreatedToken;
  return {
    data,
    text: facts({
      Token: `${data.token}   (shown only this once)`,
      Name: data.name,
      Scopes: data.scopes.join(", "),
      Expires: data.expires_at ?? "never",
      Id: data.id,
    }),
  };
};

const revoke: Run = async (api, [id = ""]) => {
  await api.request("DELETE", `/v1/tokens/${encodeURIComponent(id)}`);
  return { text: "revoked" };
};

export const tokens = { list, create, revoke };

function stateOf({ revoked_at, expires_at }: Token): string {
  if (revoked_at !== null) return `revoked ${revoked_at}`;
  return expires_at === null ? "valid" : `until ${expires_at}`;
}
