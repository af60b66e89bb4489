// From a payment.received to its invoice.
'use strict';

const { pdf } = require('./pdf');

const WIDTH = 60;

function invoice(payment) {
  const money = (amount) => `${amount.toFixed(2)} ${payment.currency}`;
  const row = (left, right) => left.slice(0, WIDTH - right.length - 1).padEnd(WIDTH - right.length) + right;
  const items = payment.items || [{ description: 'Course fee', amount: payment.amount }];
  return pdf(`Invoice ${payment.paymentId}`, [
    { heading: `Invoice ${payment.paymentId}` },
    '',
    `Date      ${payment.receivedAt.slice(0, 10)}`,
    `Customer  ${payment.userId}`,
    '',
    ...items.map((item) => row(item.description, money(item.amount))),
    '-'.repeat(WIDTH),
    { heading: row('Total', money(payment.amount)) },
    '',
    'Paid with thanks.',
  ]);
}

module.exports = { invoice };
