import { readFile } from 'node:fs/promises';
import aslValidator from 'asl-validator';
import { beforeAll, describe, expect, it } from 'vitest';
import { lambdaTimeoutSeconds } from '../src/plan/aws-task-sizes.ts';
import { definitionUrl, functionResources, runTaskResource } from '../src/state-machine.ts';

interface State {
  readonly Type: string;
  readonly Resource?: string;
  readonly Next?: string;
  readonly Default?: string;
  readonly End?: boolean;
  readonly TimeoutSeconds?: number;
  readonly Choices?: readonly { readonly Next: string }[];
  readonly Catch?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly ResultPath: string;
    readonly Next: string;
  }[];
  readonly Retry?: readonly {
    readonly ErrorEquals: readonly string[];
    readonly MaxAttempts: number;
    readonly BackoffRate: number;
    readonly JitterStrategy: string;
    readonly MaxDelaySeconds: number;
  }[];
  readonly Parameters?: Readonly<Record<string, unknown>>;
}
interface Definition {
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly QueryLanguage?: string;
  readonly States: Readonly<Record<string, State>>;
}

let text: string;
let definition: Definition;
let tasks: [string, State][];

beforeAll(async () => {
  text = await readFile(definitionUrl, 'utf8');
  definition = JSON.parse(text) as Definition;
  tasks = Object.entries(definition.States).filter(([, state]) => state.Type === 'Task');
});

/** The definition as it is deployed: every substitution replaced by a value of its kind. */
function deployed(source: string): Definition {
  const values = source.replace(/\$\{(\w+)\}/g, (_all, name: string) =>
    name.endsWith('FunctionArn')
      ? `arn:aws:lambda:eu-central-1:123456789012:function:${name}`
      : `arn:aws:ecs:eu-central-1:123456789012:${name}`,
  );
  return JSON.parse(values) as Definition;
}

function successors(state: State): string[] {
  const all = [state.Next, state.Default, ...(state.Choices ?? []).map(({ Next }) => Next)];
  return [...all, ...(state.Catch ?? []).map(({ Next }) => Next)].filter((next) => next !== undefined);
}

describe('the state machine definition', () => {
  it('is valid Amazon States Language with JSONPath, as it is and as it is deployed', () => {
    const { isValid, errorsText } = aslValidator(deployed(text));
    expect(isValid ? '' : errorsText('\n')).toBe('');
    expect(aslValidator(definition).isValid).toBe(true);
    expect(definition.QueryLanguage ?? 'JSONPath').toBe('JSONPath');
  });

  it('would be refused by the same check with a state that leads nowhere or a path that is none', () => {
    const astray = deployed(text.replace('"Next": "ChooseCalculateSize"', '"Next": "Nowhere"'));
    expect(aslValidator(astray).isValid).toBe(false);
    const noPath = deployed(text.replace('"ResultPath": "$.task"', '"ResultPath": "task"'));
    expect(aslValidator(noPath).isValid).toBe(false);
  });

  it('reaches every state from its start, and every state ends or goes on', () => {
    const reached = new Set([definition.StartAt]);
    for (const name of reached) for (const next of successors(definition.States[name]!)) reached.add(next);
    expect([...reached].sort()).toEqual(Object.keys(definition.States).sort());
  });

  it('names exactly the resources that have handlers', () => {
    const resources = new Set(tasks.map(([, { Resource }]) => Resource));
    expect([...resources].sort()).toEqual([...Object.keys(functionResources), runTaskResource].sort());
  });

  it('bounds every task in time, within what a timer can count and a function may take', () => {
    const timerMaxSeconds = Math.floor((2 ** 31 - 1) / 1000);
    expect(definition.TimeoutSeconds).toBeLessThanOrEqual(timerMaxSeconds);
    for (const [name, state] of tasks) {
      expect(state.TimeoutSeconds, name).toBeGreaterThan(0);
      expect(state.TimeoutSeconds, name).toBeLessThan(definition.TimeoutSeconds);
      if (name.endsWith('OnLambda')) expect(state.TimeoutSeconds, name).toBeGreaterThan(lambdaTimeoutSeconds);
    }
  });

  it('retries what may pass and nothing else, with backoff, jitter and a bound', () => {
    const passing = /^(TransientError|States\.Timeout|Lambda\.\w+|Runtime\.ExitError|ECS\.\w+)$/;
    for (const [name, { Retry = [] }] of tasks) {
      expect(Retry.length, name).toBeGreaterThan(0);
      for (const retrier of Retry) {
        for (const error of retrier.ErrorEquals) expect(error, name).toMatch(passing);
        expect(retrier.BackoffRate, name).toBeGreaterThan(1);
        expect(retrier.JitterStrategy, name).toBe('FULL');
        expect(retrier.MaxAttempts, name).toBeLessThanOrEqual(8);
        expect(retrier.MaxDelaySeconds, name).toBeLessThanOrEqual(300);
      }
    }
  });

  it('catches everything else and cleans up; what cannot be cleaned up ends visibly', () => {
    for (const [name, { Catch = [] }] of tasks) {
      const [all] = Catch;
      expect(all?.ErrorEquals, name).toEqual(['States.ALL']);
      expect(all?.Next, name).toBe(name === 'CleanUp' ? 'NotCleanedUp' : 'CleanUp');
    }
  });

  it('chooses by the class of the plan, and refuses a class that has no branch', () => {
    for (const name of ['ChooseCalculateSize', 'ChooseVerifySize']) {
      const choice = definition.States[name]!;
      expect(choice.Type).toBe('Choice');
      expect(definition.States[choice.Default!]?.Type).toBe('Fail');
    }
    expect(successors(definition.States.ChooseCalculateSize!)).toContain('CalculateOnLambda');
    expect(successors(definition.States.ChooseCalculateSize!)).toContain('CalculateOnFargate');
  });

  it('gives containers CPU, memory and scratch of the plan', () => {
    for (const name of ['CalculateOnFargate', 'VerifyOnFargate']) {
      const overrides = definition.States[name]?.Parameters?.Overrides as Record<string, unknown>;
      const task = name === 'CalculateOnFargate' ? 'calculate' : 'verify';
      expect(overrides).toMatchObject({
        'Cpu.$': `$.task.${task}.cpu`,
        'Memory.$': `$.task.${task}.memory`,
        EphemeralStorage: { 'SizeInGiB.$': `$.task.${task}.ephemeralStorageGiB` },
      });
    }
  });
});
