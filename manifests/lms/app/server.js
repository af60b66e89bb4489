// The school's API, and beside it, on loopback only, the door through which Outrigger delivers events.
'use strict';

const { randomUUID } = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');

const events = require('./events');
const { users, copies, invoices, analytics } = require('./handlers');

class ClientError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

const found = (thing, what) => {
  if (!thing) throw new ClientError(404, `no such ${what}`);
  return thing;
};

const byEmail = new Map(users.all().map((user) => [user.email, user.userId]));

// Nothing here waits for an event: a user is answered when the database has what they said.
function register({ email, firstName, lastName, role = 'student', phone, locale }) {
  if (!email || !firstName || !lastName) throw new ClientError(400, 'email, firstName and lastName are needed');
  if (byEmail.has(email)) throw new ClientError(409, 'this address has an account');
  const user = { userId: randomUUID(), email, firstName, lastName, role, phone, locale };
  users.put(user.userId, user);
  byEmail.set(email, user.userId);
  events.publishUserRegistered(user, { version: locale ? '2.0' : '1.0' }); // 1.0 knows no locale
  return user;
}

function login({ email }, request) {
  const user = users.get(byEmail.get(email));
  if (!user) throw new ClientError(401, 'unknown address');
  const ipAddress = request.headers['x-forwarded-for']?.split(',')[0] || request.socket.remoteAddress;
  events.publishUserLoggedIn({ userId: user.userId, email, role: user.role, ipAddress });
  return user;
}

function update(changes, _, userId) {
  const before = found(users.get(userId), 'user');
  const user = { ...before, ...changes, userId };
  users.put(userId, user);
  byEmail.delete(before.email);
  byEmail.set(user.email, userId);
  events.publishUserUpdated({ userId, changes });
  return user;
}

function remove(_, __, userId) {
  const { email } = found(users.get(userId), 'user');
  users.remove(userId);
  byEmail.delete(email);
  events.publishUserDeleted({ userId });
}

function pay({ amount, currency = 'EUR', items }, _, userId) {
  found(users.get(userId), 'user');
  const payment = { paymentId: randomUUID(), userId, amount, currency, items };
  events.publishPaymentReceived(payment);
  return payment;
}

function enrol({ courseId, price }, _, userId) {
  const user = found(users.get(userId), 'user');
  events.publishAnalyticsTracked({ event: 'course_enrolled', userId, metadata: { courseId, price } });
  events.publishPushNotification({ to: userId, title: `You are enrolled in ${courseId}` });
  if (user.phone) events.publishSmsNotification({ to: user.phone, text: `You are enrolled in ${courseId}` });
  return { userId, courseId };
}

function showInvoice(_, __, paymentId, response) {
  const file = path.join(invoices, `${encodeURIComponent(paymentId)}.pdf`);
  found(fs.existsSync(file), 'invoice (yet)');
  response.setHeader('content-type', 'application/pdf');
  return fs.readFileSync(file);
}

const ROUTES = [
  ['GET', /^\/healthz$/, () => ({ status: 'ok' })],
  ['POST', /^\/register$/, register, 201],
  ['POST', /^\/login$/, login],
  ['GET', /^\/users\/([^/]+)$/, (_, __, id) => found(users.get(id), 'user')],
  ['PATCH', /^\/users\/([^/]+)$/, update],
  ['DELETE', /^\/users\/([^/]+)$/, remove],
  ['POST', /^\/users\/([^/]+)\/payments$/, pay, 201],
  ['POST', /^\/users\/([^/]+)\/courses$/, enrol, 201],
  ['GET', /^\/invoices\/([^/]+)$/, showInvoice],
  ['GET', /^\/copies\/([^/]+)$/, (_, __, id) => found(copies.get(id), 'copy')],
  ['GET', /^\/analytics$/, () => analytics],
];

async function api(request, response) {
  const answer = (status, body) => {
    response.statusCode = status;
    if (Buffer.isBuffer(body)) return response.end(body);
    response.setHeader('content-type', 'application/json');
    response.end(body === undefined ? '' : JSON.stringify(body));
  };
  try {
    const [, pattern, handler, status = 200] = found(
      ROUTES.find(([method, pattern]) => method === request.method && pattern.test(request.url)), 'page');
    const [id] = pattern.exec(request.url).slice(1).map(decodeURIComponent);
    answer(status, handler(parse(await events.read(request)), request, id, response));
  } catch (error) {
    const ours = !(error instanceof ClientError);
    if (ours) console.error(error);
    answer(ours ? 500 : error.status, { error: ours ? 'something broke; it is in the log' : error.message });
  }
}

function parse(body) {
  try {
    return Object.assign(Object.create(null), JSON.parse(body || '{}'));
  } catch (error) {
    throw new ClientError(400, error.message);
  }
}

const { HOST = '0.0.0.0', PORT = 3000, HANDLERS_PORT = 3001 } = process.env;
const door = http.createServer(events.deliver).listen(HANDLERS_PORT, '127.0.0.1');
const school = http.createServer(api).listen(PORT, HOST, () => console.log(`the school listens on ${HOST}:${PORT}`));

// Outrigger ends after the app, so what is published until then still goes out.
process.on('SIGTERM', async () => {
  school.close();
  await events.flush();
  door.close();
  process.exit(0);
});
