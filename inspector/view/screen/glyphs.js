/* Text from a transcript as cells that show where they stand: nothing invisible, nothing that reorders a line.

   A cell is {text, kind, help}: kind "" for plain text, "nl" for a newline, "ctl" for a character that prints
   nothing, "byte" for a byte that is no part of a character. */

const CHARACTER_NAMES = {
  0x00a0: "NO-BREAK SPACE", 0x00ad: "SOFT HYPHEN", 0x061c: "ARABIC LETTER MARK", 0x200b: "ZERO WIDTH SPACE",
  0x200c: "ZERO WIDTH NON-JOINER", 0x200d: "ZERO WIDTH JOINER", 0x200e: "LEFT-TO-RIGHT MARK",
  0x200f: "RIGHT-TO-LEFT MARK", 0x2028: "LINE SEPARATOR", 0x2029: "PARAGRAPH SEPARATOR",
  0x202a: "LEFT-TO-RIGHT EMBEDDING", 0x202b: "RIGHT-TO-LEFT EMBEDDING", 0x202c: "POP DIRECTIONAL FORMATTING",
  0x202d: "LEFT-TO-RIGHT OVERRIDE", 0x202e: "RIGHT-TO-LEFT OVERRIDE", 0x202f: "NARROW NO-BREAK SPACE",
  0x2060: "WORD JOINER", 0x2066: "LEFT-TO-RIGHT ISOLATE", 0x2067: "RIGHT-TO-LEFT ISOLATE",
  0x2068: "FIRST STRONG ISOLATE", 0x2069: "POP DIRECTIONAL ISOLATE", 0x3000: "IDEOGRAPHIC SPACE",
  0xfeff: "BYTE ORDER MARK",
};
// Written out: the pictures of control characters (U+2400 on) are in few fonts.
const CONTROL_SIGNS = ["NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL", "BS", "TAB", "LF", "VT", "FF", "CR", "SO", "SI",
  "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB", "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US"];
const CONTROL_NAMES = { 0x00: "NULL", 0x07: "BELL", 0x08: "BACKSPACE", 0x09: "TAB", 0x0d: "CARRIAGE RETURN",
  0x1b: "ESCAPE", 0x7f: "DELETE" };

// Joined emoji are one picture: their joiners are no surprise.
const EMOJI = "\\p{Extended_Pictographic}(?:\\ufe0f|\\p{Emoji_Modifier})?";
const JOINED = `${EMOJI}(?:\\u200d${EMOJI})+|\\u{1f3f4}[\\u{e0020}-\\u{e007e}]+\\u{e007f}`;
// Letters, marks and symbols to Unicode, yet they print nothing.
const BLANKS = "\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2800\\u3164\\ufe00-\\ufe0d\\uffa0\\u{e0100}-\\u{e01ef}";
const BLANK = new RegExp(`[${BLANKS}]`, "u");
const HIDDEN = new RegExp(`(${JOINED})|([\\p{C}\\p{Zl}\\p{Zp}${BLANKS}]|(?! )\\p{Zs})|\\p{M}{3,}`, "gu");

function cellOfCharacter(char) {
  const code = char.codePointAt(0);
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  if (code === 0x0a) return { text: "↵", kind: "nl", help: "newline (U+000A)" };
  if (code < 0x20 || code === 0x7f) {
    return { text: code === 0x7f ? "DEL" : CONTROL_SIGNS[code], kind: "ctl", help: `${CONTROL_NAMES[code] ?? "control character"} (${hex})` };
  }
  const other = /\p{M}/u.test(char) && !BLANK.test(char) ? "a mark on the letter before, one of many" : "prints nothing";
  return { text: hex, kind: "ctl", help: `${CHARACTER_NAMES[code] ?? other} (${hex})` };
}

/** Cells of a text that is whole characters. */
function cellsOfText(text) {
  const cells = [];
  let at = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match[1] !== undefined) continue;
    if (match.index > at) cells.push({ text: text.slice(at, match.index), kind: "" });
    // Piled-up marks would run over the lines around them.
    for (const char of match[0]) cells.push(cellOfCharacter(char));
    at = match.index + match[0].length;
  }
  if (at < text.length) cells.push({ text: text.slice(at), kind: "" });
  const first = cells[0];
  if (first && first.kind === "" && /^\p{M}/u.test(first.text)) first.text = `◌${first.text}`;
  return cells;
}

const STRICT_DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function decodeOrNull(bytes) {
  try {
    return STRICT_DECODER.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

/** Cells of any bytes: those that are no part of a character are shown one by one. */
function cellsOfBytes(bytes) {
  const whole = decodeOrNull(bytes);
  if (whole !== null) return cellsOfText(whole);
  const cells = [];
  let at = 0;
  while (at < bytes.length) {
    const lead = bytes[at];
    const size = lead < 0x80 ? 1 : lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc2 ? 2 : 0;
    const text = size && at + size <= bytes.length ? decodeOrNull(bytes.subarray(at, at + size)) : null;
    if (text === null) {
      const hex = lead.toString(16).toUpperCase().padStart(2, "0");
      cells.push({ text: hex, kind: "byte", help: `byte 0x${hex}, no whole character` });
      at += 1;
    } else {
      cells.push(...cellsOfText(text));
      at += size;
    }
  }
  return cells;
}

/** One line of text with every invisible character named: for status lines and cards. */
function plainVisible(text) {
  return cellsOfText(text).map((cell) => (cell.kind === "ctl" && cell.text.length > 1 ? `[${cell.text}]` : cell.text)).join("");
}
