/* The transcript after edits, as a person would read it: kept tokens, gone tokens, new tokens, in order.

   Edits are [start, end, ids, keys] with positions in the original, sorted, without overlap. */

class Sequence {
  constructor(transcript, edits) {
    this.transcript = transcript;
    this.edits = edits;
    this.newStarts = [];
    let shift = 0;
    for (const [start, end, ids] of edits) {
      this.newStarts.push(start + shift);
      shift += ids.length - (end - start);
    }
    this.length = transcript.count + shift;
  }

  /** Pieces of the edited sequence in [from, to): {from, to} of the original, or {ids} that are new. */
  *pieces(from, to) {
    let e = Math.max(0, lastAtOrBefore(this.newStarts, from));
    let original = e > 0 ? this.edits[e - 1][1] : 0;
    let at = e > 0 ? this.newStarts[e] - (this.edits[e][0] - original) : 0;
    for (; e <= this.edits.length && at < to; e += 1) {
      const edit = this.edits[e];
      const keptEnd = edit ? edit[0] : this.transcript.count;
      const size = keptEnd - original;
      if (at + size > from && size > 0) {
        const skip = Math.max(0, from - at);
        yield { from: original + skip, to: original + Math.min(size, to - at) };
      }
      at += size;
      if (!edit) return;
      const ids = edit[2];
      if (ids.length && at < to && at + ids.length > from) {
        yield { ids: ids.slice(Math.max(0, from - at), to - at) };
      }
      at += ids.length;
      original = edit[1];
    }
  }

  /** The text of [from, to), at most about `limit` bytes of it: {text, cut}. */
  text(from, to, limit) {
    const dictionary = this.transcript.dictionary;
    const parts = [];
    let size = 0;
    for (const piece of this.pieces(from, to)) {
      const count = piece.ids ? piece.ids.length : piece.to - piece.from;
      for (let k = 0; k < count; k += 1) {
        const place = piece.ids ? dictionary.placeOf(piece.ids[k]) : this.transcript.index[piece.from + k];
        const data = dictionary.isUnknown(place) ? UNKNOWN_BYTES : dictionary.data[place];
        parts.push(data);
        size += data.length;
        if (size > limit) return { text: LENIENT_DECODER.decode(concatenated(parts)), cut: true };
      }
    }
    return { text: LENIENT_DECODER.decode(concatenated(parts)), cut: false };
  }

  /** Where token `i` of the original stands in the edited sequence, or null when it was taken out. */
  toEdited(i) {
    this.oldStarts ??= this.edits.map(([start]) => start);
    const e = lastAtOrBefore(this.oldStarts, i);
    if (e < 0) return i;
    const [, end, ids] = this.edits[e];
    return i < end ? null : this.newStarts[e] + ids.length + i - end;
  }

  /** Where position `p` of the edited sequence stands in the original; a new token stands where its edit is. */
  toOriginal(p) {
    const e = lastAtOrBefore(this.newStarts, p);
    if (e < 0) return p;
    const [start, end, ids] = this.edits[e];
    const inside = p - this.newStarts[e];
    return inside < ids.length ? start : end + inside - ids.length;
  }
}

const LENIENT_DECODER = new TextDecoder("utf-8", { ignoreBOM: true });
/** An id that is not in the vocabulary, as text: as in the findings' sentences. */
const UNKNOWN_TEXT = "<|?|>";
const UNKNOWN_BYTES = new TextEncoder().encode(UNKNOWN_TEXT);
