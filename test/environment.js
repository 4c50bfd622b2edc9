// onnxruntime-node checks tensors with `instanceof Float32Array`; jest's sandbox has typed arrays of another realm.
// Handing the outer constructors to the sandbox makes both the same class.
import { TestEnvironment } from 'jest-environment-node';

export default class RealmEnvironment extends TestEnvironment {
  constructor(config, context) {
    super(config, context);
    const outer = { Float32Array, Float64Array, BigInt64Array, Int32Array, Uint8Array, ArrayBuffer, SharedArrayBuffer };
    Object.assign(this.global, outer);
  }
}
