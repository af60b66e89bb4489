// An app that publishes logins, so many at once, by kafkajs or by Outrigger, and tells what an acked one costs.
//
//   node publish.js '{"way": "kafkajs", "brokers": […], "topic": …, "parallel": 64, "seconds": 3}'
//
// Both ways put the same keys, ids, times and data into the same topic, and wait for all in-sync replicas. Prints one line
// of JSON. CPU is user + sys of this whole process (garbage collection included) and of the sidecar, if there is one.
'use strict';

const { randomUUID } = require('node:crypto');
const fs = require('node:fs');
const { setTimeout: pass } = require('node:timers/promises');

const KEYS = 1000;
const TICKS = 100; // a second, in /proc

const login = (number) => ({
  userId: `u-${number % KEYS}`,
  email: `user${number % KEYS}@example.com`,
  role: 'student',
  ipAddress: '203.0.113.7',
});

// The app stamps and writes the envelope itself. `byHand`: with the coalescing that kafkajs leaves to the app, as outrigger.js
// does it; without, a send for each event, as its documentation has it.
async function byKafkajs({ brokers, topic, idempotent, byHand }) {
  const { Kafka, logLevel } = require('kafkajs');
  const producer = new Kafka({ clientId: 'bench', brokers, logLevel: logLevel.NOTHING }).producer({ idempotent });
  await producer.connect();
  const send = (messages) => producer.send({ topic, acks: -1, messages });
  const sendOne = byHand ? coalesced(send) : (message) => send([message]);
  const publish = (number) => {
    const data = login(number);
    const time = new Date().toISOString();
    data.loginAt = time;
    const event = { id: randomUUID(), type: 'user.logged_in', source: 'bench', time, version: '1.0', data };
    return sendOne({ key: data.userId, value: JSON.stringify(event) });
  };
  return { publish, close: () => producer.disconnect() };
}

// While one send is out, what comes waits, and goes together with the next.
function coalesced(send) {
  let waiting = [];
  let busy = false;
  const next = async () => {
    const batch = waiting;
    waiting = [];
    busy = batch.length > 0;
    if (!busy) return;
    try {
      await send(batch.map(({ message }) => message));
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
    setImmediate(next);
  };
  return (message) => new Promise((resolve, reject) => {
    waiting.push({ message, resolve, reject });
    if (!busy) setImmediate(next);
    busy = true;
  });
}

// The example's own file; id, envelope and stamps are its and the sidecar's business, and the sidecar checks the schema too.
async function byOutrigger({ url, events }) {
  process.env.OUTRIGGER_URL = url;
  const { publishUserLoggedIn, flush } = require(events);
  const publish = async (number) => {
    const { status } = await publishUserLoggedIn(login(number), { strict: true });
    if (status !== 'acked') throw new Error(`an event was not acked but ${status}`);
  };
  return { publish, close: flush };
}

// Seconds of CPU of another process.
function cpuOf(pid) {
  if (!pid) return 0;
  const fields = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '').split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

async function measure(publish, { parallel, seconds, warmUp = 1, sidecar }) {
  let number = 0;
  let acked = 0;
  let running = true;
  const one = async () => {
    while (running) {
      await publish(number++);
      ++acked;
    }
  };
  const now = () => {
    const { user, system } = process.cpuUsage();
    return { at: performance.now() / 1000, acked, app: (user + system) / 1e6, sidecar: cpuOf(sidecar) };
  };
  const all = Promise.all(Array.from({ length: parallel }, one));
  // A publish that fails ends the program at once.
  await Promise.race([all, pass(warmUp * 1000)]);
  const begin = now();
  await Promise.race([all, pass(seconds * 1000)]);
  const end = now();
  running = false;
  await all;
  const events = end.acked - begin.acked;
  const cost = (of) => ((end[of] - begin[of]) * 1e6) / events;
  return {
    events_per_second: events / (end.at - begin.at),
    app_cpu_us_per_event: cost('app'),
    sidecar_cpu_us_per_event: cost('sidecar'),
    cpu_us_per_event: cost('app') + cost('sidecar'),
  };
}

async function main(options) {
  const { publish, close } = await (options.way === 'kafkajs' ? byKafkajs(options) : byOutrigger(options));
  console.log(JSON.stringify(await measure(publish, options)));
  await close();
  process.exit(0); // kept-alive connections are no reason to stay
}

main(JSON.parse(process.argv[2])).catch((error) => {
  console.error(error);
  process.exit(1);
});
