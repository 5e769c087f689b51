import { afterEach, beforeEach, expect, test } from "vitest";
import { FixtureFleet } from "../rollouts/fleet.fixture.ts";
import { HardeningService } from "./service.ts";

let fleet: FixtureFleet;
beforeEach(async () => {
  fleet = await FixtureFleet.open();
});
afterEach(() => fleet[Symbol.asyncDispose]());

function serviceOf({ siteService, policies }: FixtureFleet): HardeningService {
  const report = () => Promise.reject(new Error("there is no router here"));
  return new HardeningService({ sites: siteService, policies, report, apiUsername: "portreeve-api" });
}

test("during a rollout a site is evaluated by the revision it is to have, not by the policy's newest", async () => {
  const policy = await fleet.createPolicy(22);
  const siteIds = await fleet.addSites(policy, 40);
  const [first, last] = [siteIds[0], siteIds[39]] as [string, string];
  await fleet.change(policy.id, 2022); // one site is given it, the others wait
  const hardening = serviceOf(fleet);

  const given = await fleet.as((trx) => hardening.intent(trx, first));
  const waiting = await fleet.as((trx) => hardening.intent(trx, last));

  expect(given.view.services.ssh.port).toBe(2022);
  expect(waiting.view.services.ssh.port).toBe(22);
  expect(waiting.view.policyName).toBe(given.view.policyName);
});
