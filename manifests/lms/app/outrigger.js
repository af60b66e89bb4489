// The app's one connection to Outrigger: publishes events, all that wait as one request. No dependencies; Node 18 and newer.
//
// One request is out at a time, so events keep the order in which they were published. Each has its id before its first
// try: trying again is safe, Outrigger knows the id. A publish never throws, and its promise never rejects unless it was
// asked to by {strict: true}; an app that does not wait for it can't be held up.
'use strict';

const { randomUUID } = require('node:crypto');
const http = require('node:http');

const DEFAULTS = {
  url: process.env.OUTRIGGER_URL || 'http://127.0.0.1:8800',
  answerWithin: 6000, // ms for a request: somewhat more than the 5 s within which Outrigger decides (http.ackTimeout)
  giveUpAfter: 10000, // ms for an event: enough for a restart of the sidecar
  maxWaiting: 10000, // events that wait; one more is refused at once …
  maxWaitingSize: 16 << 20, // … and so is one that would make them larger than this
  maxBatch: 256, // events in a request …
  maxBatchSize: 512 << 10, // … as long as they are not larger than this
  warn: (text) => console.warn(`[events] ${text}`),
};

// Of the forms that carry many events a CloudEvents batch has an answer for each, with partition and offset. Lines
// (application/x-ndjson) have counts and failures only, and cost the same: 26.3 and 26.2 µs of CPU an event, app and
// sidecar together, with 64 in parallel.
const ONE = 'application/cloudevents+json';
const MANY = 'application/cloudevents-batch+json';

class PublishError extends Error {
  constructor({ id, problem }) {
    const places = (problem.errors || []).map((error) => `${error.pointer} ${error.message}`);
    super([problem.detail || problem.title, ...places].join('; '));
    this.id = id;
    this.problem = problem;
  }
}

class Outrigger {
  constructor(options = {}) {
    this.options = { ...DEFAULTS, ...options };
    const { hostname, port } = new URL(this.options.url);
    this.target = { hostname, port, method: 'POST', agent: new http.Agent({ keepAlive: true, maxSockets: 1 }) };
    this.waiting = []; // in the order in which they were published
    this.waitingSize = 0;
    this.busy = false; // a request is out or will be
    this.unansweredInARow = 0;
    this.quietUntil = 0; // a second after the last warning; what comes earlier is counted
    this.unsaid = 0;
    this.whenIdle = [];
  }

  // An event by its type → {id, status, topic, partition, offset}; {id, status: 'spooled', topic} while it waits for Kafka on
  // the sidecar's disk; or {id, status: 'failed', problem}.
  publish(type, data, { id = randomUUID(), version, key, subject, strict } = {}) {
    return this.enqueue({ id, name: type, strict }, () => {
      const attributes = { specversion: '1.0', id, type, version, partitionkey: key, subject, time: new Date(), data };
      return JSON.stringify(attributes);
    });
  }

  // A record as it is, to a topic that http.rawTopics allows.
  publishRaw(topic, record, { id = randomUUID(), key, strict } = {}) {
    const path = `/v1/topics/${encodeURIComponent(topic)}${key ? `?key=${encodeURIComponent(key)}` : ''}`;
    return this.enqueue({ id, name: topic, strict, path }, () => JSON.stringify(record));
  }

  // Resolves when nothing waits any more; for an app that ends.
  flush() {
    return this.busy ? new Promise((resolve) => this.whenIdle.push(resolve)) : Promise.resolve();
  }

  enqueue(event, write) {
    return new Promise((resolve, reject) => {
      event.resolve = resolve;
      event.reject = reject;
      try {
        event.body = write() || '';
      } catch (error) {
        return this.refuse(event, { status: 400, title: 'No JSON', detail: error.message, outcome: 'none' });
      }
      const { maxWaiting, maxWaitingSize, giveUpAfter } = this.options;
      if (this.waiting.length >= maxWaiting || this.waitingSize + event.body.length > maxWaitingSize) {
        return this.refuse(event, { status: 503, title: 'Too much waits for Outrigger', outcome: 'none' });
      }
      event.deadline = Date.now() + giveUpAfter;
      event.outcome = 'none'; // it never left; 'unknown': it may still arrive
      this.waiting.push(event);
      this.waitingSize += event.body.length;
      if (!this.busy) this.goOn();
    });
  }

  // setImmediate lets all that one turn of the event loop publishes go together.
  goOn(wait = 0) {
    this.busy = true;
    if (wait) setTimeout(() => this.next(), wait);
    else setImmediate(() => this.next());
  }

  next() {
    this.giveUp();
    const events = this.take();
    if (events.length === 0) {
      this.busy = false;
      for (const resolve of this.whenIdle.splice(0)) resolve();
    } else if (events[0].path) {
      this.send(events, events[0].path, { 'content-type': 'application/json', 'idempotency-key': events[0].id }, events[0].body);
    } else if (events.length === 1) {
      this.send(events, '/v1/events', { 'content-type': ONE }, events[0].body);
    } else {
      this.send(events, '/v1/events', { 'content-type': MANY }, `[${events.map((event) => event.body).join()}]`);
    }
  }

  // What goes with the next request: one record as it is, or the events in front.
  take() {
    let count = 0;
    let size = 0;
    for (const event of this.waiting) {
      const alone = event.path || event.alone;
      size += event.body.length;
      if (count > 0 && (alone || count === this.options.maxBatch || size > this.options.maxBatchSize)) break;
      ++count;
      if (alone) break;
    }
    const events = this.waiting.splice(0, count);
    for (const event of events) this.waitingSize -= event.body.length;
    return events;
  }

  putBack(events) {
    this.waiting.unshift(...events); // in front, so that no later event of the same key overtakes
    for (const event of events) this.waitingSize += event.body.length;
  }

  send(events, path, headers, body) {
    let ended = false;
    const end = (how) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      how();
    };
    const fail = (error) => end(() => this.unanswered(events, error.message, error.code === 'ECONNREFUSED'));
    headers['content-length'] = Buffer.byteLength(body);
    const request = http.request({ ...this.target, path, headers }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => { text += chunk; });
      response.on('end', () => end(() => this.answered(events, response, text)));
      response.on('error', fail);
      response.on('close', () => fail(new Error('the answer was cut')));
    });
    const { answerWithin } = this.options;
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${answerWithin} ms`)), answerWithin);
    request.on('error', fail);
    request.end(body);
  }

  answered(events, response, text) {
    const answer = parse(text, events.length);
    if (!answer) return this.unanswered(events, `an answer ${response.statusCode} that is not Outrigger's`);
    if (this.unansweredInARow > 1) this.options.warn('Outrigger answers again');
    this.unansweredInARow = 0;
    const again = [];
    let pause = 0;
    events.forEach((event, n) => {
      const result = answer.results ? answer.results[n] : answer;
      const problem = problemOf(result);
      if (!problem) {
        event.resolve(result);
      } else if (mayPass(problem)) {
        event.problem = problem;
        if (problem.outcome !== 'none') event.outcome = 'unknown';
        pause = 1000 * (response.headers['retry-after'] || 1);
        again.push(event);
      } else if (events.length > 1 && !answer.results) {
        event.alone = true; // the batch as a whole was refused: which of its events it was will show
        again.push(event);
      } else {
        this.refuse(event, problem);
      }
    });
    this.putBack(again);
    this.goOn(pause);
  }

  unanswered(events, why, neverSent = false) {
    // The first time in a row it may be a connection that was idle for too long.
    if (++this.unansweredInARow === 2) this.options.warn(`Outrigger does not answer (${why}); events wait`);
    for (const event of events) {
      if (!neverSent) event.outcome = 'unknown';
      event.problem = { status: 503, title: 'Outrigger does not answer', detail: why };
    }
    this.putBack(events);
    this.goOn(Math.min(1000, 10 * 2 ** this.unansweredInARow));
  }

  // What was tried is at the front, and nothing behind it is older.
  giveUp() {
    const now = Date.now();
    while (this.waiting.length && this.waiting[0].deadline <= now) {
      const event = this.waiting.shift();
      this.waitingSize -= event.body.length;
      const problem = event.problem || { status: 503, title: 'Outrigger took too long' };
      this.refuse(event, { ...problem, outcome: event.outcome });
    }
  }

  refuse(event, problem) {
    const result = { id: event.id, status: 'failed', problem };
    const error = new PublishError(result);
    if (event.strict) return event.reject(error);
    this.complain(`${event.name} ${event.id} was not published: ${error.message}`);
    event.resolve(result);
  }

  // One line a second: an outage must not fill the log.
  complain(text) {
    const now = Date.now();
    if (now < this.quietUntil) {
      ++this.unsaid;
    } else {
      this.options.warn(this.unsaid ? `${text} (and ${this.unsaid} more before it)` : text);
      this.quietUntil = now + 1000;
      this.unsaid = 0;
    }
  }
}

// Outrigger's answer to so many events; null when it is none.
function parse(text, count) {
  try {
    const answer = JSON.parse(text);
    return answer.status || answer.results.length === count ? answer : null;
  } catch {
    return null;
  }
}

// A problem's status is a number, an outcome's a word. An event that goes to several topics has an outcome for each.
function problemOf(result) {
  if (typeof result.status === 'number') return result;
  return result.problem || result.targets?.find((target) => target.problem)?.problem;
}

// What another try may change: too fast, Kafka away, a time-out; not an event that is wrong.
function mayPass({ status }) {
  return status === 408 || status === 429 || (status >= 500 && status !== 501);
}

module.exports = { Outrigger, PublishError };
