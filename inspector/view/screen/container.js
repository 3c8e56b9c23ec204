/* The container that inspector/ui/container.py writes: a JSON head and typed arrays. */

const SECTION_TYPES = {
  u8: Uint8Array, u16: Uint16Array, u32: Uint32Array, f32: Float32Array, f64: Float64Array,
};

/** Head and sections of a container. Throws an Error with one sentence when it is none. */
function unpackContainer(bytes) {
  // A copy begins at an aligned address; the array that is handed over need not.
  const buffer = bytes.slice().buffer;
  const view = new DataView(buffer);
  if (bytes.length < 8 || view.getUint32(0, true) !== 0x31565348) {
    throw new Error("The tokens did not arrive in the expected form: reload the page.");
  }
  const size = view.getUint32(4, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
  const sections = {};
  for (const [name, [type, offset, length]] of Object.entries(head.sections)) {
    sections[name] = new SECTION_TYPES[type](buffer, 8 + size + offset, length);
  }
  return { head, sections };
}
