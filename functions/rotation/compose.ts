import { createInstance, type Surroundings } from '../composition/instance.ts';
import { createRotationFunction, type RotationHandler } from './function.ts';

/** Composes the function that new secret versions set off from its environment. */
export function composeRotationFunction(surroundings: Surroundings): RotationHandler {
  return createRotationFunction(createInstance('rotation', surroundings));
}
