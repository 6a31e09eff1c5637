// Takes dropped files and folders, and sends the files one after the other.
import { useRef, useState } from "preact/hooks";
import { send } from "./server";

const READABLE =
  /\.(txt|text|md|markdown|html|htm|xhtml|pdf|csv|tsv|docx|docm|dotx|xlsx|xlsm|xltx|pptx|pptm|ppsx|potx)$/i;

const KINDS = "text, Markdown, HTML, PDF, CSV, TSV, Word (.docx), Excel (.xlsx) and PowerPoint (.pptx)";

interface NamedFile {
  // The path below the folder that was given, as in `advisor ingest`: it becomes the document's id.
  name: string;
  file: File;
}

export function DropZone({ onProblem }: { onProblem: (text: string) => void }) {
  const [isOver, setOver] = useState(false);
  const [left, setLeft] = useState(0);
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);

  const upload = async (found: NamedFile[]) => {
    const readable = found.filter((one) => READABLE.test(one.name));
    const skipped = found.length - readable.length;
    const problems = skipped ? [`${skipped} of ${found.length} files were skipped: only ${KINDS} are read.`] : [];
    const names = new Set<string>();
    for (const [number, one] of readable.entries()) {
      setLeft(readable.length - number);
      if (names.has(one.name)) {
        problems.push(`Two files are named ${one.name}: give the folder that contains both.`);
        continue;
      }
      names.add(one.name);
      try {
        await send("POST", `/uploads?name=${encodeURIComponent(one.name)}`, one.file);
      } catch (error) {
        problems.push(`${one.name}: ${(error as Error).message}`);
      }
    }
    setLeft(0);
    onProblem(problems.join(" "));
  };
  const chosen = (input: HTMLInputElement) => {
    const found = [...(input.files ?? [])].map((file) => ({
      name: file.webkitRelativePath.replace(/^[^/]*\//, "") || file.name,
      file,
    }));
    input.value = "";
    void upload(found);
  };
  return (
    <div
      class={isOver ? "drop over" : "drop"}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={async (event) => {
        event.preventDefault();
        setOver(false);
        await upload(await dropped(event.dataTransfer!));
      }}
    >
      <p>Drop files or a folder here: {KINDS}.</p>
      <div class="actions">
        <button type="button" onClick={() => files.current!.click()}>
          Choose files
        </button>
        <button type="button" onClick={() => folder.current!.click()}>
          Choose a folder
        </button>
      </div>
      {left > 0 && <p role="status">{left} still to send</p>}
      <input ref={files} type="file" multiple hidden aria-label="Files" onChange={(event) => chosen(event.currentTarget)} />
      <input
        ref={(input) => {
          folder.current = input;
          input?.setAttribute("webkitdirectory", "");
        }}
        type="file"
        hidden
        aria-label="Folder"
        onChange={(event) => chosen(event.currentTarget)}
      />
    </div>
  );
}

async function dropped(transfer: DataTransfer): Promise<NamedFile[]> {
  // Read the entries before the first `await`: the browser clears them after the event.
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry());
  const found: NamedFile[] = [];
  for (const entry of entries) {
    if (entry) await collect(entry, entry.isFile ? "/" : `${entry.fullPath}/`, found);
  }
  return found;
}

async function collect(entry: FileSystemEntry, folder: string, found: NamedFile[]): Promise<void> {
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed));
    found.push({ name: entry.fullPath.slice(folder.length), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a part of the entries at each call, and none at the end.
    const entries = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed));
    if (!entries.length) return;
    for (const one of entries) await collect(one, folder, found);
  }
}
