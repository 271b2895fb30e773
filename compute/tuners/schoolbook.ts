/** Prints nanoseconds of a balanced product by the schoolbook and by residues: where they cross is `schoolbookLimbs` (src/multiply/multiply.ts). */
import { multiplySchoolbook } from '../src/multiply/multiply.ts';
import { multiplyResidue } from '../src/multiply/residue.ts';
import { aloneTeam } from '../src/multiply/team.ts';
import { fillLimbs, leastNanoseconds, openTunerMemory } from './decimal-memory.ts';

const memory = openTunerMemory(1 << 12, 8, 1 << 20);
const [aPtr, bPtr, outPtr] = [memory.take(8192), memory.take(8192), memory.take(16_384)];
fillLimbs(memory, aPtr, 1024);
fillLimbs(memory, bPtr, 1024);
const repeated = (work: () => void) =>
  leastNanoseconds(() => {
    for (let run = 0; run < 50; run++) work();
  }) / 50;
for (const limbCount of [32, 48, 64, 80, 96, 112, 128, 160, 192, 256, 384]) {
  memory.worker.instance.words.fill(0, (aPtr >> 2) + limbCount, (aPtr >> 2) + 1024);
  const [a, b] = [
    { ptr: aPtr, limbCount },
    { ptr: bPtr, limbCount },
  ];
  const school = repeated(() => multiplySchoolbook(memory.worker, a, b, outPtr));
  const residue = repeated(() => multiplyResidue(aloneTeam, memory.worker, memory.area, a, b, outPtr));
  console.log(`${limbCount} limbs: schoolbook ${school.toFixed(0)} ns, residues ${residue.toFixed(0)} ns`);
  fillLimbs(memory, aPtr, 1024);
}
