/* Hands a file that Python made to the browser's downloads, once. The data: a line of JSON ({name, id}), then the file;
   nothing follows where it could not be made. Whoever asked hears of it by the event "harmonylens.handed". */

const HANDED = (globalThis[Symbol.for("harmonylens.handed")] ??= new Set());

export default function ({ data }) {
  const end = data.indexOf(10);
  const { name, id } = JSON.parse(new TextDecoder().decode(data.subarray(0, end)));
  if (HANDED.has(id)) return;
  HANDED.add(id);
  document.dispatchEvent(new Event("harmonylens.handed"));
  if (end + 1 === data.length) return;
  const address = URL.createObjectURL(new Blob([data.subarray(end + 1)], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has begun with the click; the address is only let go once it cannot be needed any more.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
