// From a notification.email to the message that is sent.
'use strict';

const { Unprocessable } = require('./events');
const { sendMail } = require('./smtp');

const FROM = process.env.MAIL_FROM || 'school@example.com';

const templates = {
  welcome: ({ name }) => `Hello ${name},\n\nyour account is ready. Have fun learning!\n`,
  'sign-in-alert': ({ name, ipAddress }) =>
    `Hello ${name},\n\nsomebody signed in to your account from ${ipAddress}, where you never were before.\n`
    + 'If it was not you, change your password.\n',
};

async function send({ to, subject, template, data }, event) {
  if (!Object.hasOwn(templates, template)) throw new Unprocessable(`there is no template "${template}"`);
  if (/[\s<>]/.test(to)) throw new Unprocessable(`"${to}" is no address`);
  const message = [
    `From: ${FROM}`,
    `To: ${to}`,
    `Subject: ${word(subject)}`,
    `Date: ${new Date(event.time).toUTCString().replace('GMT', '+0000')}`,
    `Message-ID: <${encodeURIComponent(event.id)}@${FROM.split('@')[1]}>`,
    'MIME-Version: 1.0',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: base64',
    '',
    ...base64(templates[template](data)).match(/.{1,76}/g),
  ].join('\r\n');
  await sendMail({ from: FROM, to, message });
}

const base64 = (text) => Buffer.from(text).toString('base64');

// RFC 2047, in pieces of less than 76 characters; no subject can end its line and begin another header.
const word = (text) => (/^[ -~]{1,60}$/.test(text) ? text
  : text.match(/.{1,11}/gsu).map((piece) => `=?utf-8?B?${base64(piece)}?=`).join('\r\n '));

module.exports = { send };
