/** The API's names of the eight services, in its order, and the words people know them by. */
export const SERVICES = [
  ["winbox", "WinBox"],
  ["ssh", "SSH"],
  ["http", "HTTP"],
  ["https", "HTTPS"],
  ["telnet", "Telnet"],
  ["ftp", "FTP"],
  ["api", "API"],
  ["api_ssl", "API-SSL"],
];

/** @returns {string} the word for a service, or its name where the API has one that this page does not know */
export const serviceWord = (name) => SERVICES.find(([known]) => known === name)?.[1] ?? name;
