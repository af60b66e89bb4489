// A file of JSON lines, one for each event that was handled, and the ids of those: read again at the start, so that what
// was done stays done. In your app this is a table with the event's id as its key.
'use strict';

const fs = require('node:fs');

class Journal {
  // apply(entry) is told every entry, old and new.
  constructor(file, apply = () => {}) {
    this.file = file;
    this.apply = apply;
    this.ids = new Set();
    const text = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '';
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    // A line that was cut by a crash was never told as done: its event comes again.
    if (whole.length < text.length) fs.truncateSync(file, Buffer.byteLength(whole));
    for (const line of whole.split('\n')) if (line) this.note(JSON.parse(line));
  }

  has(id) {
    return this.ids.has(id);
  }

  add(id, fields) {
    const entry = { id, ...fields };
    fs.appendFileSync(this.file, `${JSON.stringify(entry)}\n`);
    this.note(entry);
  }

  note(entry) {
    this.ids.add(entry.id);
    this.apply(entry);
  }
}

module.exports = { Journal };
