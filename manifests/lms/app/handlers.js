// What happens after an event, by type. Outrigger delivers each at least once, so each handler is safe to be called again.
'use strict';

const fs = require('node:fs');
const path = require('node:path');

const { on, publishEmailNotification } = require('./events');
const { Folder, writeWhole } = require('./folder');
const { invoice } = require('./invoice');
const { Journal } = require('./journal');
const mail = require('./mail');

const DATA = process.env.DATA_DIR || 'data';
const users = new Folder(path.join(DATA, 'users'));
const copies = new Folder(path.join(DATA, 'copies')); // what another system knows of our users
const invoices = path.join(DATA, 'invoices');
fs.mkdirSync(invoices, { recursive: true });

// Idempotent by the event's id: what is done is never done again. A crash between the work and the note repeats the work.
const once = (file, handler, apply) => {
  const journal = new Journal(path.join(DATA, file), apply);
  return async (data, event) => {
    if (journal.has(event.id)) return;
    journal.add(event.id, await handler(data, event));
  };
};

// The notification has an id made of the id of its cause: published twice, it is still one event.
on('user.registered', async (user, event) => {
  console.log(`welcome, ${user.userId}`);
  await publishEmailNotification(
    { to: user.email, subject: 'Welcome!', template: 'welcome', data: { name: user.firstName } },
    { id: `welcome-${event.id}`, strict: true },
  );
});

on('notification.email', once('mails.log', async (letter, event) => {
  await mail.send(letter, event);
  return { to: letter.to, template: letter.template };
}));

// Where a provider's API would be called: one line for each message that was handed over.
on('notification.sms', once('sms.log', async ({ to, text }) => ({ to, text })));
on('notification.push', once('push.log', async ({ to, title }) => ({ to, title })));

const analytics = { logins: 0, suspiciousLogins: 0, actions: {} };
const addresses = new Map(); // userId → where they signed in from

on('user.logged_in', once('logins.log', async (login, event) => {
  const known = addresses.get(login.userId);
  const suspicious = Boolean(known && login.ipAddress && !known.has(login.ipAddress));
  if (suspicious) {
    await publishEmailNotification(
      { to: login.email, subject: 'A new sign-in', template: 'sign-in-alert',
        data: { name: users.get(login.userId)?.firstName || 'there', ipAddress: login.ipAddress } },
      { id: `alert-${event.id}`, strict: true },
    );
  }
  return { userId: login.userId, ipAddress: login.ipAddress, suspicious };
}, ({ userId, ipAddress, suspicious }) => {
  ++analytics.logins;
  if (suspicious) ++analytics.suspiciousLogins;
  if (ipAddress) addresses.set(userId, (addresses.get(userId) || new Set()).add(ipAddress));
}));

on('analytics.tracked', once('actions.log', async ({ event }) => ({ event }), ({ event }) => {
  analytics.actions[event] = (analytics.actions[event] || 0) + 1;
}));

// One journal for the three, so that a registration that comes again can't bring back what was deleted since.
const changes = {
  'user.registered': (user) => copies.put(user.userId, user),
  'user.updated': (update) => copies.put(update.userId, { ...copies.get(update.userId), ...update.changes, userId: update.userId }),
  'user.deleted': (user) => copies.remove(user.userId),
};
on('sync', once('sync.log', async (data, event) => {
  changes[event.type]?.(data);
  return { type: event.type, user: data.userId };
}));

// The invoice itself shows that the work was done.
on('payment.received', async (payment) => {
  const file = path.join(invoices, `${encodeURIComponent(payment.paymentId)}.pdf`);
  if (!fs.existsSync(file)) writeWhole(file, invoice(payment));
});

// Every event of every topic, one line each: who, what, when, and where it is in Kafka.
on('audit', once('audit.log', async (data, event) => ({
  type: event.type, user: data.userId || data.to, time: event.time, topic: event.topic, partition: event.partition, offset: event.offset,
})));

module.exports = { users, copies, invoices, analytics };
