// A folder of JSON files, one for each thing: this example's database.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

class Folder {
  constructor(folder) {
    this.folder = folder;
    fs.mkdirSync(folder, { recursive: true });
  }

  file(id) {
    return path.join(this.folder, `${encodeURIComponent(id)}.json`);
  }

  get(id) {
    return fs.existsSync(this.file(id)) ? JSON.parse(fs.readFileSync(this.file(id), 'utf8')) : null;
  }

  put(id, value) {
    writeWhole(this.file(id), JSON.stringify(value, null, 2));
    return value;
  }

  remove(id) {
    fs.rmSync(this.file(id), { force: true });
  }

  all() {
    return fs.readdirSync(this.folder).filter((name) => name.endsWith('.json'))
      .map((name) => JSON.parse(fs.readFileSync(path.join(this.folder, name), 'utf8')));
  }
}

// A file that is there is never half written.
function writeWhole(file, content) {
  fs.writeFileSync(`${file}.new`, content);
  fs.renameSync(`${file}.new`, file);
}

module.exports = { Folder, writeWhole };
