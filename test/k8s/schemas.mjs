// Reads manifests, and holds them against the types of Kubernetes, for k8s_test.py.
//
//   node schemas.mjs read  < {"bundle": "YAML of several documents"}   > {"bundle": [document]}
//   node schemas.mjs check < {"bundle": [document]}                    > {"bundle": ["problem"]}
//
// kubernetes-models knows values (required fields, enums, quantities) and takes unknown fields;
// client-node's attribute maps know all fields and nothing of values. Together they are a schema.
// Node looks for packages beside this file, so k8s_test.py copies it to where they are.
import * as client from "@kubernetes/client-node";
import yaml from "js-yaml";
import { text } from "node:stream/consumers";

// Of other projects, so that no schema of Kubernetes has them.
const FOREIGN = new Set(["ceph.rook.io/v1"]);

function nameOf(document) {
  return `${document?.kind} '${document?.metadata?.name}'`;
}

async function valueProblems(document) {
  let Model;
  try {
    Model = (await import(`kubernetes-models/${document.apiVersion}`))[document.kind];
  } catch {
    return [`apiVersion '${document.apiVersion}': Kubernetes has none of that name`];
  }
  if (Model === undefined) return [`${document.apiVersion} has no kind '${document.kind}'`];
  try {
    new Model(document).validate();
  } catch (error) {
    return [error.message];
  }
  return [];
}

const PLAIN = { string: "string", number: "number", boolean: "boolean" };

// Fields of `value` that its type does not have, or has otherwise.
function fieldProblems(value, type, place) {
  if (value === null || value === undefined) return [`${place}: is empty`];
  const list = type.match(/^(?:Array|Set)<(.*)>$/);
  if (list) {
    if (!Array.isArray(value)) return [`${place}: want a list`];
    return value.flatMap((item, i) => fieldProblems(item, list[1], `${place}[${i}]`));
  }
  const map = type.match(/^\{ \[key: string\]: (.*); \}$/);
  if (map) {
    if (typeof value !== "object") return [`${place}: want a map`];
    return Object.entries(value).flatMap(([key, item]) =>
      fieldProblems(item, map[1], `${place}.${key}`));
  }
  if (type in PLAIN) {
    return typeof value === PLAIN[type] ? [] : [`${place}: ${value} is no ${type}`];
  }
  const Type = client[type];
  if (Type?.getAttributeTypeMap === undefined) return [];  // IntOrString, Date, any.
  if (typeof value !== "object" || Array.isArray(value)) return [`${place}: want a map`];
  const fields = new Map(Type.getAttributeTypeMap().map((field) => [field.baseName, field.type]));
  return Object.entries(value).flatMap(([key, item]) =>
    fields.has(key) ? fieldProblems(item, fields.get(key), `${place}.${key}`)
                    : [`${place}.${key}: there is no such field`]);
}

async function problemsOf(document) {
  if (FOREIGN.has(document.apiVersion)) return [];
  const version = document.apiVersion.split("/").at(-1);
  const type = version[0].toUpperCase() + version.slice(1) + document.kind;
  const fields = client[type] === undefined
    ? [`${document.apiVersion} has no kind '${document.kind}'`]
    : fieldProblems(document, type, document.kind);
  return [...await valueProblems(document), ...fields].map((problem) => `${nameOf(document)}: ${problem}`);
}

async function checkAll(documents) {
  return (await Promise.all(documents.map(problemsOf))).flat();
}

const ask = process.argv[2] === "read"
  ? (words) => yaml.loadAll(words).filter((document) => document !== null)
  : checkAll;
const answer = {};
for (const [name, value] of Object.entries(JSON.parse(await text(process.stdin)))) {
  answer[name] = await ask(value);
}
console.log(JSON.stringify(answer));
