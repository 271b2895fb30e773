import assert from 'node:assert/strict';
import { test } from 'node:test';
import { factorialChart } from './paths.mjs';
import { containerEnvironment, ofKind, pick, pods, render, valuesFiles } from './render.mjs';
import { helm, kubectlDecode } from './tools.mjs';
import { problemsOf } from './typed.mjs';

/** Labels that a selector asks for are all on the target. */
const selects = (selector, labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);

/** Paths of all scalar members. */
function leaves(value, path = '') {
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, child]) => leaves(child, `${path}/${key}`));
}

test('at least five values files are rendered', () => {
  assert.ok(Object.keys(valuesFiles).length >= 5, Object.keys(valuesFiles).join(', '));
});

test('a misspelt member, a wrong type and an unknown kind are found by the typed validation', () => {
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' }, spec: { ports: [{ port: 80 }] } };
  assert.deepEqual(problemsOf(service), []);
  assert.deepEqual(problemsOf({ ...service, spec: { ports: [{ port: 80, targetport: 1 }] } }), [
    'unknown member Service.spec.ports[0].targetport',
  ]);
  assert.match(problemsOf({ ...service, spec: { ports: [{ port: '80' }] } })[0], /port/);
  assert.deepEqual(problemsOf({ apiVersion: 'v1', kind: 'Servce' }), ['unknown kind v1 Servce']);
});

for (const [name, path] of Object.entries(valuesFiles)) {
  test(`${name}: helm lint --strict finds nothing`, () => {
    const { status, stdout, stderr } = helm(['lint', '--strict', factorialChart, '--values', path]);
    assert.equal(status, 0, stdout + stderr);
    assert.doesNotMatch(stdout, /\[(WARNING|ERROR)\]|Fail:/);
  });

  const objects = render(name);

  test(`${name}: every object has a known kind, only known members, and members of the right type`, () => {
    assert.deepEqual(objects.flatMap(problemsOf), []);
  });

  test(`${name}: Kubernetes' own types keep every member of the workloads`, () => {
    for (const object of ofKind(objects, 'Deployment', 'Job', 'Pod')) {
      const kept = new Set(leaves(kubectlDecode(object)));
      assert.deepEqual(
        leaves(object).filter((leaf) => !kept.has(leaf)),
        [],
      );
    }
  });

  test(`${name}: names are unique per kind, within 63 characters, and carry the common labels`, () => {
    const names = objects.map((object) => `${object.kind} ${object.metadata.name}`);
    assert.equal(new Set(names).size, names.length, names.join('\n'));
    for (const { kind, metadata } of objects) {
      assert.ok(metadata.name.length <= 63, `${kind} ${metadata.name}`);
      for (const label of ['name', 'instance', 'component', 'version', 'managed-by', 'part-of']) {
        assert.ok(metadata.labels[`app.kubernetes.io/${label}`], `${kind} ${metadata.name}: ${label}`);
      }
      for (const value of Object.values(metadata.labels))
        assert.match(value, /^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/);
    }
  });

  test(`${name}: every container is closed: not root, read-only, no privileges, no service token`, () => {
    const found = pods(objects);
    assert.ok(found.length >= 3);
    for (const { name: pod, spec } of found) {
      assert.equal(spec.automountServiceAccountToken, false, pod);
      assert.equal(spec.securityContext.runAsNonRoot, true, pod);
      assert.ok(spec.securityContext.runAsUser > 0, pod);
      assert.deepEqual(spec.securityContext.seccompProfile, { type: 'RuntimeDefault' }, pod);
      for (const container of spec.containers) {
        assert.deepEqual(
          container.securityContext,
          {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
            capabilities: { drop: ['ALL'] },
          },
          pod,
        );
      }
    }
  });

  test(`${name}: every container states its requests and its memory limit, which is its request`, () => {
    for (const { name: pod, spec } of pods(objects)) {
      for (const { resources } of spec.containers) {
        assert.ok(resources.requests.cpu, pod);
        assert.ok(resources.requests.memory, pod);
        assert.equal(resources.limits.memory, resources.requests.memory, pod);
      }
    }
  });

  test(`${name}: API and worker have three probes each, on a port they declare`, () => {
    for (const { spec } of pods(ofKind(objects, 'Deployment'))) {
      const [container] = spec.containers;
      const ports = container.ports.map((port) => port.name);
      for (const [probe, path] of [
        ['startupProbe', '/healthz'],
        ['livenessProbe', '/healthz'],
        ['readinessProbe', '/readyz'],
      ]) {
        assert.equal(container[probe].httpGet.path, path, `${container.name} ${probe}`);
        assert.ok(ports.includes(container[probe].httpGet.port), `${container.name} ${probe}`);
      }
      const environment = containerEnvironment(objects, container);
      const listening = Number(environment[container.name === 'api' ? 'PORT' : 'WORKER_HEALTH_PORT']);
      assert.equal(container.ports[0].containerPort, listening);
      assert.equal(environment.HOST, '0.0.0.0');
    }
  });

  test(`${name}: every mount has its volume, and what is written to is mounted`, () => {
    for (const { name: pod, spec } of pods(objects)) {
      for (const container of spec.containers) {
        const mounts = container.volumeMounts ?? [];
        const volumes = new Set((spec.volumes ?? []).map((volume) => volume.name));
        for (const mount of mounts) assert.ok(volumes.has(mount.name), `${pod}: ${mount.name}`);
        const environment = containerEnvironment(objects, container);
        for (const variable of ['DATA_DIR', 'SCRATCH_DIR', 'TMPDIR']) {
          const folder = environment[variable];
          if (folder === undefined) continue;
          assert.ok(
            mounts.some(({ mountPath }) => folder === mountPath || folder.startsWith(`${mountPath}/`)),
            `${pod}: ${variable}=${folder}`,
          );
        }
      }
    }
  });

  test(`${name}: the grace period of a pod leaves time beyond its drain`, () => {
    for (const { name: pod, spec } of pods(ofKind(objects, 'Deployment'))) {
      const [container] = spec.containers;
      const drain = Number(containerEnvironment(objects, container).DRAIN_SECONDS);
      const sleep = container.lifecycle?.preStop?.sleep?.seconds ?? 0;
      assert.ok(spec.terminationGracePeriodSeconds >= drain + sleep + 5, pod);
    }
  });

  test(`${name}: selectors of deployments, service, budgets and policies select exactly their own pods`, () => {
    const found = pods(objects);
    const selected = (selector) =>
      found.filter(({ metadata }) => selects(selector, metadata.labels)).map((pod) => pod.name);
    for (const deployment of ofKind(objects, 'Deployment')) {
      assert.deepEqual(selected(deployment.spec.selector.matchLabels), [`Deployment ${deployment.metadata.name}`]);
    }
    for (const service of ofKind(objects, 'Service')) {
      assert.deepEqual(selected(service.spec.selector), [`Deployment ${service.metadata.name}`]);
      const [container] = found.find((pod) => pod.name === `Deployment ${service.metadata.name}`).spec.containers;
      assert.ok(container.ports.some((port) => port.name === service.spec.ports[0].targetPort));
    }
    for (const budget of ofKind(objects, 'PodDisruptionBudget')) {
      assert.deepEqual(selected(budget.spec.selector.matchLabels), [`Deployment ${budget.metadata.name}`]);
    }
    for (const policy of ofKind(objects, 'NetworkPolicy')) {
      const [only, ...others] = selected(policy.spec.podSelector.matchLabels);
      assert.match(only, new RegExp(` ${policy.metadata.name}$`));
      assert.deepEqual(others, []);
    }
    for (const scaler of ofKind(objects, 'HorizontalPodAutoscaler', 'ScaledObject')) {
      const { kind, name: target } = scaler.spec.scaleTargetRef;
      assert.equal(pick(objects, kind, target).spec.replicas, undefined, 'the autoscaler owns the replicas');
    }
  });

  test(`${name}: what is referred to exists: ConfigMap, Secret, service account`, () => {
    const external = new Set(['factorial', 'factorial-secrets', 'valkey']);
    const has = (kind, wanted) => objects.some((object) => object.kind === kind && object.metadata.name === wanted);
    const broker = ofKind(objects, 'RabbitmqCluster').map(({ metadata }) => `${metadata.name}-default-user`);
    for (const { name: pod, spec } of pods(objects)) {
      const account = spec.serviceAccountName;
      if (account !== undefined && !['default', 'existing-api'].includes(account))
        assert.ok(has('ServiceAccount', account), pod);
      for (const { envFrom = [], env = [] } of spec.containers) {
        for (const { configMapRef } of envFrom) if (configMapRef) assert.ok(has('ConfigMap', configMapRef.name), pod);
        const secrets = [
          ...envFrom.flatMap(({ secretRef }) => (secretRef ? [secretRef.name] : [])),
          ...env.flatMap(({ valueFrom }) => (valueFrom ? [valueFrom.secretKeyRef.name] : [])),
        ];
        for (const secret of secrets) {
          assert.ok(external.has(secret) || broker.includes(secret) || has('Secret', secret), `${pod}: ${secret}`);
        }
      }
    }
  });

  test(`${name}: no secret is outside a Secret`, () => {
    for (const object of objects.filter(({ kind }) => kind !== 'Secret')) {
      assert.doesNotMatch(JSON.stringify(object), /hidden-|change-me/, `${object.kind} ${object.metadata.name}`);
    }
  });
}
