import { DomainError } from "../../kernel/errors.ts";

export class NotTheOperatorError extends DomainError {
  constructor() {
    super({
      status: 403,
      code: "not-the-operator",
      title: "Only who runs the installation may do this",
      detail: "Gateways belong to the installation; the first customer's tokens add and remove them.",
    });
  }
}

export class GatewayNotFoundError extends DomainError {
  constructor() {
    super({
      status: 404,
      code: "gateway-not-found",
      title: "No such gateway",
      detail: "No gateway has this id.",
    });
  }
}

export class GatewayNameError extends DomainError {
  constructor() {
    super({
      status: 409,
      code: "gateway-name-taken",
      title: "Another gateway has this name",
      detail: "Choose another name, or remove the gateway that has it.",
    });
  }
}

export class GatewayInUseError extends DomainError {
  constructor() {
    super({
      status: 409,
      code: "gateway-in-use",
      title: "The gateway is in use",
      detail: "It has open access. Revoke that or wait for its end, and ask again.",
    });
  }
}
