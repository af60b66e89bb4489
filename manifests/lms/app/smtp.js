// Hands one message to an SMTP server (RFC 5321): a relay in the cluster, without TLS and password.
'use strict';

const net = require('node:net');
const os = require('node:os');

async function sendMail({ from, to, message, host = process.env.SMTP_HOST || '127.0.0.1', port = process.env.SMTP_PORT || 25, timeout = 10000 }) {
  const socket = net.connect({ host, port });
  // Shorter than the subscription's deliver.timeout, so that the next try never meets this one.
  const timer = setTimeout(() => socket.destroy(new Error(`${host}:${port} took longer than ${timeout} ms`)), timeout);
  const chunks = socket.setEncoding('utf8')[Symbol.asyncIterator]();
  let received = '';
  const say = async (text, expected) => {
    if (text) socket.write(`${text}\r\n`);
    let reply;
    while (!(reply = /^(?:\d{3}-.*\r?\n)*(\d{3})(?: .*)?\r?\n/.exec(received))) {
      const { value, done } = await chunks.next();
      if (done) throw new Error(`${host}:${port} ended the connection`);
      received += value;
    }
    received = received.slice(reply[0].length);
    if (reply[1][0] !== expected) throw refusal(reply[0].trim());
  };
  try {
    await say('', '2');
    await say(`EHLO ${os.hostname()}`, '2');
    await say(`MAIL FROM:<${from}>`, '2');
    await say(`RCPT TO:<${to}>`, '2');
    await say('DATA', '3');
    await say(`${message.replace(/^\./gm, '..')}\r\n.`, '2');
    await say('QUIT', '2').catch(() => {}); // the message is the server's already
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

// 5xx is the server's last word on this message, 4xx is not.
function refusal(reply) {
  const error = new Error(`the mail server said ${reply}`);
  error.permanent = reply[0] === '5';
  return error;
}

module.exports = { sendMail };
