/**
 * Characters of the passwords we make, of letters and digits alone: guessing is hopeless, and every version and every
 * terminal takes them. RouterOS may ask for a minimum (`/user/settings minimum-password-length`): the fix of the
 * hardening report must never ask for more than these.
 */
export const PASSWORD_LENGTHS = {
  /** Of our own user on a router. */
  ownLogin: 32,
  /** Of a user for one access, and of its name. */
  access: 24,
} as const;
