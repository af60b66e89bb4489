// The JavaScript SDK as a line filter; see ../README.md.
const { createInterface } = require('node:readline');
const { CloudEvent, HTTP, Kafka } = require('cloudevents');

const bindings = { http: HTTP, kafka: Kafka };
const isJson = (type) => !type || /^[^;]*[/+]json *(;|$)/.test(type);
const isText = (type) => /^text\/|[/+]xml *(;|$)/.test(type);
// Of a body that is a string, the SDK's HTTP binding parses JSON of these two types and of no other.
const isParsed = (type) => ['application/json', 'application/json; charset=utf-8'].includes(type);
const bytes = (value) => Buffer.from(value, 'base64');

function encode({ binding, mode, events: [event] }) {
  if (mode === 'batch') return { unsupported: 'it has no function that writes a batch' };
  const { attributes } = event;
  const type = attributes.datacontenttype;
  let data;
  if (event.data !== undefined) {
    data = bytes(event.data);
    // Kafka's binary mode hands the data to the Kafka client as it is, and a client takes no objects.
    if (isJson(type)) data = binding === 'kafka' && mode === 'binary' ? data.toString() : JSON.parse(data);
    else if (isText(type)) data = data.toString();
  }
  const message = bindings[binding][mode](new CloudEvent({ ...attributes, data }));
  const headers = Object.entries(message.headers).filter(([, value]) => value !== undefined);
  const body = binding === 'kafka' ? message.value : message.body;
  return {
    headers: Object.fromEntries(headers.map(([name, value]) => [name, String(value)])),
    key: message.key,
    // A client sends what is neither text nor bytes as its text.
    body: body === undefined ? undefined : Buffer.from(ArrayBuffer.isView(body) ? body : String(body)).toString('base64'),
  };
}

function decode({ binding, headers, key, body }) {
  const type = headers['content-type'];
  const content = body === null ? null : bytes(body);
  let read;
  if (binding === 'kafka') {
    read = Kafka.toEvent({ headers, key, value: content });
  } else {
    const isString = /^application\/cloudevents/.test(type) || isParsed(type) || isText(type);
    read = HTTP.toEvent({ headers, body: isString ? content.toString() : content });
  }
  return {
    events: [read].flat().map(({ data, data_base64, ...attributes }) => {
      if (data === undefined) return { attributes };
      const parsed = !ArrayBuffer.isView(data) && isJson(attributes.datacontenttype);
      return { attributes, data: Buffer.from(parsed ? JSON.stringify(data) : data).toString('base64') };
    }),
  };
}

createInterface({ input: process.stdin }).on('line', (line) => {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = { encode, decode }[request.op](request);
  } catch (error) {
    answer = { error: String(error) };
  }
  console.log(JSON.stringify(answer));
});
