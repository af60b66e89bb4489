// A scripted Outrigger: answers as it is told and remembers every request.
'use strict';

const http = require('node:http');
const path = require('node:path');

const APP = path.join(__dirname, '../../../manifests/lms/app');
const { Outrigger, PublishError } = require(path.join(APP, 'outrigger.js'));

// script(request) → undefined: every event is acked; {status, body, headers}; 'cut'; 'silent'; or a promise of one of these.
class Scripted {
  constructor(t, script = () => undefined) {
    this.script = script;
    this.requests = [];
    this.connections = 0;
    this.offset = 0;
    t.after(() => this.stop());
  }

  async start(port = 0) {
    this.server = http.createServer((request, response) => this.answer(request, response));
    this.server.on('connection', () => { ++this.connections; });
    await new Promise((resolve) => this.server.listen(port, '127.0.0.1', resolve));
    this.port = this.server.address().port;
    return this;
  }

  stop() {
    this.server?.closeAllConnections();
    return new Promise((resolve) => (this.server ? this.server.close(resolve) : resolve()));
  }

  async answer(request, response) {
    let text = '';
    for await (const chunk of request) text += chunk;
    const body = JSON.parse(text);
    const got = { path: request.url, headers: request.headers, body, ids: [].concat(body).map((event) => event.id) };
    this.requests.push(got);
    const told = await this.script(got, this.requests.length);
    if (told === 'cut') return request.socket.destroy();
    if (told === 'silent') return undefined;
    if (told) return response.writeHead(told.status, told.headers).end(typeof told.body === 'string' ? told.body : JSON.stringify(told.body));
    const results = got.ids.map((id) => this.acked(id));
    return response.end(JSON.stringify(Array.isArray(body) ? { results } : results[0]));
  }

  acked(id) {
    return { id, status: 'acked', topic: 't', partition: 0, offset: this.offset++ };
  }
}

const problem = (status, more) => ({ title: 'no', status, detail: `refused with ${status}`, ...more });
const failed = (id, status, more) => ({ id, status: 'failed', problem: problem(status, more) });

// A client of `port` that keeps its warnings.
function client(port, options) {
  const warnings = [];
  const outrigger = new Outrigger({ url: `http://127.0.0.1:${port}`, warn: (text) => warnings.push(text), ...options });
  return Object.assign(outrigger, { warnings });
}

module.exports = { APP, PublishError, Scripted, client, failed, problem };
