export { certificateContributor } from "./contributor.ts";
