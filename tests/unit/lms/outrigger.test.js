// The example app's connection to Outrigger: what goes together, in which order, and what becomes of each promise.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { PublishError, Scripted, client, failed, problem } = require('./scripted.js');

test('what one turn publishes is one request, and each promise has its own result', async (t) => {
  const server = await new Scripted(t).start();
  const outrigger = client(server.port);
  const results = await Promise.all(Array.from({ length: 64 }, (_, n) => outrigger.publish('a.b', { n }, { id: `e${n}` })));
  assert.equal(server.requests.length, 1);
  assert.match(server.requests[0].headers['content-type'], /cloudevents-batch/);
  assert.deepEqual(results.map(({ id, offset }) => [id, offset]), Array.from({ length: 64 }, (_, n) => [`e${n}`, n]));
  assert.deepEqual(server.requests[0].body[7].data, { n: 7 });
});

test('what is published while a request is out goes as the next one, on the same connection', async (t) => {
  let release;
  const server = await new Scripted(t, (_, count) => (count === 1 ? new Promise((resolve) => { release = resolve; }) : undefined)).start();
  const outrigger = client(server.port);
  const first = outrigger.publish('a.b', {}, { id: 'first' });
  while (!release) await new Promise(setImmediate);
  const others = ['x', 'y', 'z'].map((id) => outrigger.publish('a.b', {}, { id }));
  release();
  await Promise.all([first, ...others]);
  assert.deepEqual(server.requests.map((request) => request.ids), [['first'], ['x', 'y', 'z']]);
  assert.equal(server.connections, 1);
});

test('a single event and its attributes are a CloudEvent', async (t) => {
  const server = await new Scripted(t).start();
  await client(server.port).publish('a.b', { n: 1 }, { id: 'i', key: 'k', version: '2.0', subject: 's' });
  const { body, headers } = server.requests[0];
  assert.equal(headers['content-type'], 'application/cloudevents+json');
  assert.ok(Math.abs(new Date(body.time) - Date.now()) < 60000);
  delete body.time;
  assert.deepEqual(body, { specversion: '1.0', id: 'i', type: 'a.b', version: '2.0', partitionkey: 'k', subject: 's', data: { n: 1 } });
});

test('an event that is refused fails alone, says why, and rejects only where it was asked to', async (t) => {
  const errors = [{ pointer: '/email', message: 'is missing' }];
  const server = await new Scripted(t, ({ ids }) => ({
    status: 422, body: { results: ids.map((id) => (id.startsWith('bad') ? failed(id, 422, { errors }) : { id, status: 'acked' })) },
  })).start();
  const outrigger = client(server.port);
  const [good, bad, strict] = await Promise.allSettled([
    outrigger.publish('a.b', {}, { id: 'good' }),
    outrigger.publish('a.b', {}, { id: 'bad' }),
    outrigger.publish('a.b', {}, { id: 'bad too', strict: true }),
  ]);
  assert.equal(good.value.status, 'acked');
  assert.deepEqual([bad.value.status, bad.value.problem.errors], ['failed', errors]);
  assert.ok(strict.reason instanceof PublishError);
  assert.equal(strict.reason.message, 'refused with 422; /email is missing');
  assert.match(outrigger.warnings.join(), /a\.b bad was not published: refused with 422; \/email is missing/);
});

test('what may pass is tried again with its id, in front of what came later', async (t) => {
  const server = await new Scripted(t, ({ ids }, count) => (count === 1
    ? { status: 503, headers: { 'retry-after': 0.01 }, body: { results: [failed(ids[0], 503), { id: ids[1], status: 'acked' }, failed(ids[2], 503)] } }
    : undefined)).start();
  const outrigger = client(server.port);
  const before = ['a', 'b', 'c'].map((id) => outrigger.publish('x.y', {}, { id }));
  await before[1];
  const after = outrigger.publish('x.y', {}, { id: 'd' });
  const results = await Promise.all([...before, after]);
  assert.deepEqual(server.requests.map((request) => request.ids), [['a', 'b', 'c'], ['a', 'c', 'd']]);
  assert.deepEqual(results.map((result) => result.status), ['acked', 'acked', 'acked', 'acked']);
});

test('an answer that is lost is asked for again with the same ids', async (t) => {
  const server = await new Scripted(t, (_, count) => (count === 1 ? 'cut' : undefined)).start();
  const outrigger = client(server.port);
  const results = await Promise.all([outrigger.publish('a.b', { n: 1 }), outrigger.publish('a.b', { n: 2 })]);
  assert.deepEqual(server.requests[0].body, server.requests[1].body);
  assert.deepEqual(results.map((result) => result.status), ['acked', 'acked']);
  assert.deepEqual(outrigger.warnings, [], 'one cut connection is no outage');
});

test('with Outrigger away events wait; when it is back they go, in order; it is said once each', async (t) => {
  const server = await new Scripted(t).start();
  const outrigger = client(server.port);
  await outrigger.publish('a.b', {}, { id: 'before' });
  await server.stop();
  const waiting = ['1', '2', '3'].map((id) => outrigger.publish('a.b', {}, { id }));
  while (!outrigger.warnings.length) await new Promise(setImmediate);
  await server.start(server.port);
  const results = await Promise.all(waiting);
  assert.deepEqual(results.map((result) => result.status), ['acked', 'acked', 'acked']);
  assert.deepEqual(server.requests.slice(1).flatMap((request) => request.ids), ['1', '2', '3']);
  assert.match(outrigger.warnings[0], /does not answer/);
  assert.deepEqual(outrigger.warnings.slice(1), ['Outrigger answers again']);
});

test('with Outrigger away for too long an event fails, and is known never to have left', async (t) => {
  const server = await new Scripted(t).start();
  await server.stop();
  const outrigger = client(server.port, { giveUpAfter: 50 });
  const result = await outrigger.publish('a.b', {});
  assert.deepEqual([result.status, result.problem.status, result.problem.outcome], ['failed', 503, 'none']);
  await assert.rejects(outrigger.publish('a.b', {}, { strict: true }), PublishError);
});

test('an Outrigger that never answers is not waited for longer than was said', async (t) => {
  const server = await new Scripted(t, () => 'silent').start();
  const outrigger = client(server.port, { answerWithin: 40, giveUpAfter: 60 });
  const began = Date.now();
  const result = await outrigger.publish('a.b', {});
  assert.deepEqual([result.status, result.problem.outcome], ['failed', 'unknown']);
  assert.match(result.problem.detail, /no answer within 40 ms/);
  assert.ok(Date.now() - began < 1000);
  assert.equal(new Set(server.requests.flatMap((request) => request.ids)).size, 1);
});

test('something else on the port breaks nothing', async (t) => {
  const answers = ['<html>', 'null', '[]', '{"results":[]}', '17'];
  const server = await new Scripted(t, (_, count) => ({ status: 200, body: answers[count - 1] || 'no' })).start();
  const outrigger = client(server.port, { giveUpAfter: 100 });
  const result = await outrigger.publish('a.b', {});
  assert.match(result.problem.detail, /not Outrigger's/);
});

test('what waits is bounded in number and in size', async (t) => {
  const server = await new Scripted(t, () => 'silent').start();
  const outrigger = client(server.port, { maxWaiting: 3, answerWithin: 20, giveUpAfter: 20 });
  const results = await Promise.all(Array.from({ length: 5 }, () => outrigger.publish('a.b', {})));
  assert.deepEqual(results.map((result) => result.problem.title.startsWith('Too much waits')), [false, false, false, true, true]);
  const small = client(server.port, { maxWaitingSize: 1000, answerWithin: 20, giveUpAfter: 20 });
  const [, large] = await Promise.all([small.publish('a.b', {}), small.publish('a.b', { text: 'x'.repeat(900) })]);
  assert.equal(large.problem.title, 'Too much waits for Outrigger');
  assert.equal(outrigger.waitingSize + small.waitingSize, 0);
});

test('an outage does not fill the log', async (t) => {
  const server = await new Scripted(t, () => 'silent').start();
  const outrigger = client(server.port, { maxWaiting: 1, answerWithin: 20, giveUpAfter: 20 });
  await Promise.all(Array.from({ length: 500 }, () => outrigger.publish('a.b', {})));
  assert.ok(outrigger.warnings.length <= 3, outrigger.warnings.join('\n'));
});

test('a batch is bounded in number and in size', async (t) => {
  const server = await new Scripted(t).start();
  const outrigger = client(server.port, { maxBatch: 4, maxBatchSize: 2000 });
  await Promise.all([...Array(6).fill({}), { text: 'x'.repeat(5000) }, {}].map((data) => outrigger.publish('a.b', data)));
  assert.deepEqual(server.requests.map((request) => request.ids.length), [4, 2, 1, 1]);
});

test('a batch that is refused as a whole goes again event by event', async (t) => {
  const server = await new Scripted(t, ({ body }) => (Array.isArray(body) ? { status: 413, body: problem(413) }
    : body.id === 'large' ? { status: 413, body: problem(413, { limit: 'http.maxBody' }) } : undefined)).start();
  const outrigger = client(server.port);
  const results = await Promise.all(['a', 'large', 'b'].map((id) => outrigger.publish('x.y', {}, { id })));
  assert.deepEqual(results.map((result) => result.status), ['acked', 'failed', 'acked']);
  assert.equal(results[1].problem.limit, 'http.maxBody');
  assert.deepEqual(server.requests.map((request) => request.ids), [['a', 'large', 'b'], ['a'], ['large'], ['b']]);
});

test('an event for several topics fails when one of them failed', async (t) => {
  const server = await new Scripted(t, ({ ids }) => ({ status: 413, body: {
    id: ids[0], status: 'failed', targets: [{ topic: 't', status: 'acked' }, { topic: 'u', status: 'failed', problem: problem(413) }] } })).start();
  const result = await client(server.port).publish('a.b', {});
  assert.deepEqual([result.status, result.problem.status], ['failed', 413]);
});

test('data that is no JSON fails without a throw', async (t) => {
  const server = await new Scripted(t).start();
  const result = await client(server.port).publish('a.b', { n: 1n });
  assert.deepEqual([result.status, result.problem.status], ['failed', 400]);
  assert.equal(server.requests.length, 0);
});

test('a raw record keeps its place among the events', async (t) => {
  const server = await new Scripted(t).start();
  const outrigger = client(server.port);
  await Promise.all([
    outrigger.publish('a.b', {}), outrigger.publishRaw('dlq.topic', { n: 1 }, { id: 'raw', key: 'k&1' }), outrigger.publish('a.b', {}),
  ]);
  assert.deepEqual(server.requests.map((request) => request.path), ['/v1/events', '/v1/topics/dlq.topic?key=k%261', '/v1/events']);
  assert.equal(server.requests[1].headers['idempotency-key'], 'raw');
  assert.deepEqual(server.requests[1].body, { n: 1 });
});

test('flush waits until nothing waits', async (t) => {
  const server = await new Scripted(t).start();
  const outrigger = client(server.port, { maxBatch: 1 });
  await outrigger.flush();
  for (let n = 0; n < 5; ++n) outrigger.publish('a.b', {});
  await outrigger.flush();
  assert.equal(server.requests.length, 5);
});
