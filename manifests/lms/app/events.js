// What this app says to the rest of the system, and what it listens to. Copy it with outrigger.js into your app, and put
// your own events here.
'use strict';

const { Outrigger } = require('./outrigger');

const outrigger = new Outrigger();
const flush = () => outrigger.flush();

// Each takes a last argument {id, key, version, subject, strict} where one is needed.
const publishUserRegistered = (user, options) => outrigger.publish('user.registered', user, options);
const publishUserLoggedIn = (login, options) => outrigger.publish('user.logged_in', login, options);
const publishUserUpdated = (update, options) => outrigger.publish('user.updated', update, options);
const publishUserDeleted = (user, options) => outrigger.publish('user.deleted', user, options);
const publishEmailNotification = (mail, options) => outrigger.publish('notification.email', mail, options);
const publishSmsNotification = (text, options) => outrigger.publish('notification.sms', text, options);
const publishPushNotification = (push, options) => outrigger.publish('notification.push', push, options);
const publishAnalyticsTracked = (action, options) => outrigger.publish('analytics.tracked', action, options);
const publishPaymentReceived = (payment, options) => outrigger.publish('payment.received', payment, options);
const publish = (topic, event, options) => outrigger.publishRaw(topic, event, options);

const handlers = new Map();

// `name` is what follows /handlers/ in a subscription's URL: an event's type ({type}), or a word for handlers of many types.
// handler(data, event) has the data and the event's attributes; what it throws is tried again.
const on = (name, handler) => handlers.set(name, handler);

// A retry can't succeed: the event becomes a dead-letter record at once.
class Unprocessable extends Error {
  permanent = true;
}

// Answers a delivery of Outrigger's. The answer is the verdict: 2xx done, 422 dead-letter record, 5xx and 404 retry.
async function deliver(request, response) {
  const answer = (status, text) => response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(text);
  try {
    const handler = handlers.get(decodeURIComponent(request.url.replace('/handlers/', '')));
    if (!handler) return answer(404, `nobody handles ${request.url} here`);
    const body = await read(request);
    const json = /json/.test(request.headers['content-type']);
    await handler(json ? JSON.parse(body) : body, attributes(request.headers));
    answer(204);
  } catch (error) {
    console.error(`[handlers] ${request.url} ${request.headers['ce-id']}: ${error.message}`);
    answer(error.permanent ? 422 : 500, error.message);
  }
}

async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

// {id, type, source, time, version, topic, partition, offset, key, attempt, subscription, …} of an event.
function attributes(headers) {
  const event = {};
  for (const [name, value] of Object.entries(headers)) {
    const attribute = /^(?:ce|outrigger)-(.*)/.exec(name);
    if (attribute) event[attribute[1]] = decodeURIComponent(value);
  }
  return event;
}

module.exports = {
  publishUserRegistered,
  publishUserLoggedIn,
  publishUserUpdated,
  publishUserDeleted,
  publishEmailNotification,
  publishSmsNotification,
  publishPushNotification,
  publishAnalyticsTracked,
  publishPaymentReceived,
  publish,
  flush,
  on,
  deliver,
  read,
  Unprocessable,
};
