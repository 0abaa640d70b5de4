// Runs an ONNX model over arrays of numpy in ONNX Runtime.
//
//     run_model.mjs MODEL SAMPLES     prints {"probability": […], "logit": […]}
import fs from 'node:fs';
import ort from 'onnxruntime-node';

// A float32 array of a .npy file, version 1.0.
function readNpy(path) {
  const bytes = fs.readFileSync(path);
  const size = bytes.readUInt16LE(8);
  const header = bytes.toString('latin1', 10, 10 + size);
  if (!header.includes("'<f4'")) throw new Error(`${path}: ${header}: want '<f4'`);
  const shape = header.match(/'shape': \(([^)]*)\)/)[1].split(',').filter(s => s.trim()).map(Number);
  const data = new Float32Array(
      bytes.buffer.slice(bytes.byteOffset + 10 + size, bytes.byteOffset + bytes.length));
  return new ort.Tensor('float32', data, shape);
}

const [model, samples] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model);
const feeds = {};
for (const name of session.inputNames) feeds[name] = readNpy(`${samples}/${name}.npy`);
const results = await session.run(feeds);
const answer = {};
for (const name of session.outputNames) answer[name] = Array.from(results[name].data);
process.stdout.write(JSON.stringify(answer));
