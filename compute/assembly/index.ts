export { packFactors } from './factors';
export { fillTwiddles } from './twiddles';
export { forwardLevel, forwardNtt } from './forward';
export { inverseLevel, inverseNtt } from './inverse';
export { multiplyPointwise } from './pointwise';
export { mergeLanes, splitLanes } from './lanes';
export { addCarriesRange, combineRange, forwardBlock, multiplyBlock, splitRange } from './product';
export { addCarryIn, recordBlock } from './carry';
export { addLimbs, combineResidues, flushCarry } from './combine';
export { multiplySchoolbook, multiplyWords } from './schoolbook';
export {
  appendLimbResidues,
  fillResidueTable,
  multiplyLargePowerResidues,
  multiplyPowerResidues,
  multiplyResidues,
  multiplyUpTo,
} from './residues';
export { limbsToText, textToLimbs } from './text';
export { appendTextResidues, fillTextResidueTable } from './text-residues';
export { foldCoefficients, interpolateResidues, splitResidues, weightResidues } from './fold';
export { listPrimePowers, selectPlane } from './sieve';
export { listLargePrimePowers, multiplyLongs, selectLargePlane } from './large-primes';
export { accumulateLimbs, carrySums } from './sums';
