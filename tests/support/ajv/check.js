// What an editor says of config files: reads {"schema", "files": [YAML text, …]} on standard input and prints, for each
// file, null or what is wrong. As the YAML language server does it: the package `yaml` reads, and ajv applies the schema.
const { createRequire } = require('node:module');
const { readFileSync } = require('node:fs');
const load = createRequire(`${process.env.OUTRIGGER_AJV}/`);
const Ajv = load('ajv');
const YAML = load('yaml');

const { schema, files } = JSON.parse(readFileSync(0, 'utf8'));
const validate = new Ajv({ strictTypes: false }).compile(schema);
const judged = files.map((text) => (validate(YAML.parse(text)) ? null : validate.errors[0]));
console.log(JSON.stringify(judged.map((error) => error && `${error.instancePath} ${error.message}`)));
