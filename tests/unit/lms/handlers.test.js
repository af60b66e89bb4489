// The rest of the example app, piece by piece: the door for deliveries, the journal, the mail, the PDF.
'use strict';

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const { APP } = require('./scripted.js');
const { Unprocessable, deliver, on } = require(path.join(APP, 'events.js'));
const { Journal } = require(path.join(APP, 'journal.js'));
const { pdf } = require(path.join(APP, 'pdf.js'));

function folder(t) {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'lms-test-'));
  t.after(() => fs.rmSync(made, { recursive: true }));
  return made;
}

test('a handler has the data and the attributes; its end is the verdict', async (t) => {
  const server = http.createServer(deliver);
  t.after(() => server.close());
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const post = (name, headers = {}) => fetch(`http://127.0.0.1:${server.address().port}/handlers/${name}`, {
    method: 'POST', body: '{"n":1}', headers: { 'content-type': 'application/json', ...headers } });
  const seen = [];
  on('a.done', (data, event) => seen.push([data, event]));
  on('a.broken', () => { throw new Error('no database'); });
  on('a.wrong', async () => { throw new Unprocessable('no such course'); });
  t.mock.method(console, 'error', () => {});
  assert.equal((await post('a.done', { 'ce-id': 'i', 'ce-type': 'a.done', 'outrigger-key': 'k%201', 'outrigger-attempt': '2' })).status, 204);
  assert.deepEqual(seen, [[{ n: 1 }, { id: 'i', type: 'a.done', key: 'k 1', attempt: '2' }]]);
  assert.equal((await post('a.broken')).status, 500);
  const wrong = await post('a.wrong');
  assert.deepEqual([wrong.status, await wrong.text()], [422, 'no such course']);
  assert.equal((await post('a.unknown')).status, 404);
  assert.equal((await post('%ff')).status, 500);
});

test('a journal remembers over a restart, and a line that a crash cut does not count', (t) => {
  const file = path.join(folder(t), 'journal');
  const first = new Journal(file);
  first.add('one', { n: 1 });
  first.add('two', { n: 2 });
  fs.appendFileSync(file, '{"id":"thr');
  const entries = [];
  const second = new Journal(file, (entry) => entries.push(entry));
  assert.deepEqual(entries, [{ id: 'one', n: 1 }, { id: 'two', n: 2 }]);
  assert.deepEqual(['one', 'two', 'thr'].map((id) => second.has(id)), [true, true, false]);
  second.add('three', {});
  assert.deepEqual(fs.readFileSync(file, 'utf8').trim().split('\n').map((line) => JSON.parse(line).id), ['one', 'two', 'three']);
});

test('a PDF has as many pages as its lines need, and odd characters do no harm', () => {
  const text = pdf('Été (1)', [{ heading: 'Total 5 €' }, ...Array.from({ length: 99 }, (_, n) => `Łódź \\ ${n}`)]).toString('latin1');
  assert.equal(text.match(/\/Type \/Page\b/g).length, 3);
  assert.match(text, /\(Total 5 \x80\)/);
  assert.match(text, /\(\?\u00f3dz \\\\ 98\)/);
  assert.match(text, /\/Title \(\u00c9t\u00e9 \\\(1\\\)\)/);
});
