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
