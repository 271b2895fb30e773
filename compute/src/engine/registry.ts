import { type EngineName, engineNames } from '../plan/plan.ts';
import { decimalEngine } from './decimal/engine.ts';
import type { Engine } from './engine.ts';
import { gmpEngine } from './gmp/engine.ts';

const engines: Readonly<Record<EngineName, Engine>> = { decimal: decimalEngine, gmp: gmpEngine };

/** The engines a budget admits, in the order of `engineNames`. */
export function admittedEngines(choice: EngineName | 'auto'): Engine[] {
  return choice === 'auto' ? engineNames.map((name) => engines[name]) : [engines[choice]];
}
