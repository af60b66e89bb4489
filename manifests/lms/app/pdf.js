// Lines of text as a PDF 1.4: pages of A4, two fonts that every reader has, a table of where each object begins.
'use strict';

const LINES = 45; // on a page
const LINE = 16; // points

// What WinAnsi has where Latin-1 has control characters.
const WIN_ANSI = { '€': 0x80, '‚': 0x82, '„': 0x84, '…': 0x85, 'Š': 0x8a, 'Œ': 0x8c, 'Ž': 0x8e, '‘': 0x91, '’': 0x92, '“': 0x93, '”': 0x94,
  '•': 0x95, '–': 0x96, '—': 0x97, '™': 0x99, 'š': 0x9a, 'œ': 0x9c, 'ž': 0x9e, 'Ÿ': 0x9f };

// A string of PDF. Characters beyond WinAnsi, which would need an embedded font, lose their accents or become "?".
function string(text) {
  const bytes = [...text].flatMap((c) => (inWinAnsi(c) ? [c] : [...c.normalize('NFD')].filter((part) => !/\p{M}/u.test(part))))
    .map((c) => String.fromCharCode(WIN_ANSI[c] || (inWinAnsi(c) ? c.charCodeAt(0) : 0x3f)));
  return `(${bytes.join('').replace(/[()\\]/g, '\\$&')})`;
}

const inWinAnsi = (c) => c in WIN_ANSI || (c >= ' ' && c <= '~') || (c >= '\u00a0' && c <= '\u00ff');

// lines: text, or {heading: text}. → Buffer
function pdf(title, lines) {
  const pages = [];
  for (let at = 0; at < Math.max(1, lines.length); at += LINES) pages.push(lines.slice(at, at + LINES));
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages.length} /Kids [${pages.map((_, n) => `${6 + 2 * n} 0 R`).join(' ')}] >>`,
    `<< /Title ${string(title)} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>',
    '<< /Type /Font /Subtype /Type1 /BaseFont /Courier-Bold /Encoding /WinAnsiEncoding >>',
  ];
  for (const page of pages) {
    const shown = page.map((line) => (line.heading ? `/Bold 12 Tf ${string(line.heading)} Tj T*` : `/Plain 10 Tf ${string(line)} Tj T*`));
    const content = `BT ${LINE} TL 56 770 Td\n${shown.join('\n')}\nET`;
    objects.push(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents ${objects.length + 2} 0 R `
        + '/Resources << /Font << /Plain 4 0 R /Bold 5 0 R >> >> >>',
      `<< /Length ${content.length} >>\nstream\n${content}\nendstream`,
    );
  }
  let out = '%PDF-1.4\n%\u00e2\u00e3\u00cf\u00d3\n'; // the second line says: not text
  const offsets = objects.map((object, n) => {
    const offset = out.length;
    out += `${n + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = out.length;
  const count = objects.length + 1;
  out += `xref\n0 ${count}\n0000000000 65535 f \n${offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('')}`;
  out += `trailer\n<< /Size ${count} /Root 1 0 R /Info 3 0 R >>\nstartxref\n${table}\n%%EOF\n`;
  return Buffer.from(out, 'latin1');
}

module.exports = { pdf };
