import ssh2, { type Attributes, type SFTPWrapper } from "ssh2";
import { bytesText, wordBytes } from "../api/words.ts";
import type { Caller } from "../caller.ts";
import { contentsOf, fileName, sizeOf } from "../files.ts";
import type { MenuHost } from "../menus/menu.ts";
import { Refusal } from "../refusal.ts";
import type { Item } from "../table.ts";

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp;

/** Most a client may write beyond the end of a file in one step, bytes: offsets are the client's word. */
const MAX_FILE = 64 * 1024 * 1024;

interface OpenFile {
  readonly name: string;
  /** Room for what is written next; the first `size` bytes are the file. */
  room: Buffer;
  size: number;
  readonly written: boolean;
  /** Names a directory still has to list. */
  listing: readonly Item[] | undefined;
}

const contentsIn = ({ room, size }: OpenFile): Buffer => room.subarray(0, size);

/** A user's own rights: what an upload starts has no session. */
const callerOf = ({ username, policies }: Caller): Caller => ({ username, policies });

const MODE = { directory: 0o040777, file: 0o100666 };

function attributesOf(item: Item | undefined, isDirectory: boolean): Attributes {
  const size = item && !isDirectory ? sizeOf(item) : 0;
  return { mode: isDirectory ? MODE.directory : MODE.file, uid: 0, gid: 0, size, atime: 0, mtime: 0 };
}

/** The files of the router over SFTP; whoever comes here has the `ftp` policy. */
export function serveSftp(router: MenuHost, caller: Caller, sftp: SFTPWrapper): void {
  const open = new Map<number, OpenFile>();
  let nextHandle = 1;
  const handleOf = (file: OpenFile): Buffer => {
    const handle = Buffer.alloc(4);
    handle.writeUInt32BE(nextHandle);
    open.set(nextHandle++, file);
    return handle;
  };
  const fileOf = (handle: Buffer) => (handle.length === 4 ? open.get(handle.readUInt32BE(0)) : undefined);
  const { files } = router;

  /** Answer with what `work` says; what the router refuses is a failure. */
  const status = (id: number, work: () => number) => {
    try {
      sftp.status(id, work());
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      sftp.status(id, STATUS_CODE.FAILURE, error.message);
    }
  };
  const stat = (id: number, path: string) => {
    const item = files.find(path);
    if (!item && !files.isDirectory(path)) return sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    sftp.attrs(id, attributesOf(item, files.isDirectory(path)));
  };
  const remove = (id: number, path: string, directory: boolean) =>
    status(id, () => {
      const item = files.find(path);
      if (!item || files.isDirectory(path) !== directory) return STATUS_CODE.NO_SUCH_FILE;
      files.remove(item);
      return STATUS_CODE.OK;
    });

  sftp.on("OPEN", (id, path, flags) => {
    const item = files.find(path);
    const writes = (flags & OPEN_MODE.WRITE) !== 0;
    if (files.isDirectory(path)) return sftp.status(id, STATUS_CODE.FAILURE);
    if (!item && (flags & OPEN_MODE.CREAT) === 0) return sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    const keeps = item && (flags & OPEN_MODE.TRUNC) === 0;
    const contents = keeps ? Buffer.from(wordBytes(contentsOf(item))) : Buffer.alloc(0);
    const { length: size } = contents;
    sftp.handle(
      id,
      handleOf({ name: fileName(path), room: contents, size, written: writes, listing: undefined }),
    );
  });
  sftp.on("READ", (id, handle, offset, length) => {
    const file = fileOf(handle);
    const data = file && contentsIn(file).subarray(offset, offset + Math.min(length, 256 * 1024));
    if (!data || data.length === 0) return sftp.status(id, file ? STATUS_CODE.EOF : STATUS_CODE.FAILURE);
    sftp.data(id, data);
  });
  sftp.on("WRITE", (id, handle, offset, data) => {
    const file = fileOf(handle);
    const end = offset + data.length;
    if (!file?.written || end > MAX_FILE) return sftp.status(id, STATUS_CODE.FAILURE);
    if (end > file.room.length) {
      file.room = Buffer.concat([contentsIn(file)], Math.min(Math.max(end, 2 * file.room.length), MAX_FILE));
    }
    data.copy(file.room, offset);
    file.size = Math.max(file.size, end);
    sftp.status(id, STATUS_CODE.OK);
  });
  sftp.on("CLOSE", (id, handle) => {
    const file = fileOf(handle);
    if (!file) return sftp.status(id, STATUS_CODE.FAILURE);
    open.delete(handle.readUInt32BE(0));
    status(id, () => {
      if (!file.written) return STATUS_CODE.OK;
      files.write(file.name, bytesText(contentsIn(file)));
      runUploaded(router, callerOf(caller), file.name);
      return STATUS_CODE.OK;
    });
  });
  sftp.on("OPENDIR", (id, path) => {
    if (!files.isDirectory(path)) return sftp.status(id, STATUS_CODE.NO_SUCH_FILE);
    const name = fileName(path);
    const prefix = name === "" ? "" : `${name}/`;
    const listing = files.all.filter(({ values }) => {
      const own = values.name ?? "";
      return own.startsWith(prefix) && own !== name && !own.slice(prefix.length).includes("/");
    });
    sftp.handle(id, handleOf({ name, room: Buffer.alloc(0), size: 0, written: false, listing }));
  });
  sftp.on("READDIR", (id, handle) => {
    const directory = fileOf(handle);
    if (!directory?.listing?.length)
      return sftp.status(id, directory ? STATUS_CODE.EOF : STATUS_CODE.FAILURE);
    const names = directory.listing.map((item) => {
      const filename = item.values.name?.split("/").at(-1) ?? "";
      return { filename, longname: filename, attrs: attributesOf(item, item.values.type === "directory") };
    });
    directory.listing = [];
    sftp.name(id, names);
  });
  sftp.on("REALPATH", (id, path) => {
    const filename = `/${fileName(path.replace(/^\.\/?/, ""))}`;
    sftp.name(id, [{ filename, longname: filename, attrs: attributesOf(undefined, true) }]);
  });
  sftp.on("FSTAT", (id, handle) => {
    const file = fileOf(handle);
    if (!file) return sftp.status(id, STATUS_CODE.FAILURE);
    sftp.attrs(id, { ...attributesOf(undefined, false), size: file.size });
  });
  sftp.on("STAT", stat);
  sftp.on("LSTAT", stat);
  // Times and modes aren't kept; clients set them after an upload and take a refusal for a failure.
  sftp.on("SETSTAT", (id) => sftp.status(id, STATUS_CODE.OK));
  sftp.on("FSETSTAT", (id) => sftp.status(id, STATUS_CODE.OK));
  sftp.on("REMOVE", (id, path) => remove(id, path, false));
  sftp.on("RMDIR", (id, path) => remove(id, path, true));
  sftp.on("MKDIR", (id, path) =>
    status(id, () => {
      if (files.find(path)) return STATUS_CODE.FAILURE;
      files.makeDirectory(path);
      return STATUS_CODE.OK;
    }),
  );
  sftp.on("RENAME", (id, from, to) =>
    status(id, () => {
      const item = files.find(from);
      if (!item || files.isDirectory(from) || files.find(to)) return STATUS_CODE.FAILURE;
      const contents = contentsOf(item);
      files.remove(item);
      files.write(to, contents);
      return STATUS_CODE.OK;
    }),
  );
}

/** `name.auto.rsc` runs by itself and leaves `name.auto.log`. Source: manual, "Configuration management". */
function runUploaded(router: MenuHost, caller: Caller, name: string): void {
  const item = name.endsWith(".auto.rsc") ? router.files.find(name) : undefined;
  if (!item) return;
  const leave = (text: string) => router.files.write(name.replace(/rsc$/, "log"), text);
  router.jobs
    .importText(caller, contentsOf(item))
    .catch((error) => `${error instanceof Error ? error.message : String(error)}\n`)
    .then(leave)
    .catch((error) => router.jobs.logFailure(name, error));
}
