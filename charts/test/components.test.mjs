import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ofKind, pick, pods, refusal, render } from './render.mjs';
import { builtModule } from './settings-table.mjs';

const kinds = (objects) => new Set(objects.map((object) => object.kind));

test('the small installation has budgets and policies, and no autoscaler', () => {
  const objects = render('small');
  assert.equal(pick(objects, 'Deployment', 'rel-factorial-api').spec.replicas, 1);
  assert.equal(ofKind(objects, 'PodDisruptionBudget').length, 2);
  assert.equal(ofKind(objects, 'NetworkPolicy').length, 3);
  assert.ok(!kinds(objects).has('HorizontalPodAutoscaler'));
  assert.ok(!kinds(objects).has('ScaledObject'));
  assert.ok(!kinds(objects).has('Ingress'));
});

test('switched off, budgets, policies, migration and service accounts are gone', () => {
  const objects = render('bare');
  assert.deepEqual([...kinds(objects)].sort(), ['ConfigMap', 'Deployment', 'Pod', 'Secret', 'Service']);
  const accounts = pods(ofKind(objects, 'Deployment')).map(({ spec }) => spec.serviceAccountName);
  assert.deepEqual(accounts, ['existing-api', 'default']);
});

/** The names that the worker gives to the queues of its lanes, as its own topology says. */
async function laneQueues(exchange) {
  const { lanes } = await builtModule('backing/dist/queue/calculation-queue.js');
  const { Topology } = await builtModule('backing/dist/queue/rabbitmq/topology.js');
  const { rabbitmqSettings } = await builtModule('backing/dist/queue/rabbitmq/rabbitmq-options.js');
  const topology = new Topology(rabbitmqSettings({ url: 'amqp://broker', exchange }));
  return lanes.map((lane) => topology.laneQueue(lane)).sort();
}

const queuesOf = ({ triggers }) => triggers.map(({ metadata }) => metadata.queueName).sort();

test('the scaler asks for the queues of the exchange that the settings name, and no other name is a lane', async () => {
  const { spec } = pick(render('scaled-external-broker'), 'ScaledObject', 'rel-factorial-worker');
  const queues = queuesOf(spec);
  assert.deepEqual(queues, await laneQueues('numbers'));
  assert.match(
    refusal('scaled-external-broker', { 'worker.autoscaling.messagesPerReplica': { 'small.slow': 1 } }),
    /messagesPerReplica/,
  );
});

test('production scales the API on CPU and the worker on every lane of the queue', async () => {
  const objects = render('production');
  const { spec } = pick(objects, 'HorizontalPodAutoscaler', 'rel-factorial-api');
  assert.deepEqual([spec.minReplicas, spec.maxReplicas], [3, 20]);
  assert.equal(spec.metrics[0].resource.target.averageUtilization, 70);
  const scaled = pick(objects, 'ScaledObject', 'rel-factorial-worker').spec;
  assert.deepEqual([scaled.minReplicaCount, scaled.maxReplicaCount], [2, 30]);
  assert.deepEqual(await laneQueues('factorial'), queuesOf(scaled));
  for (const trigger of scaled.triggers) {
    assert.equal(trigger.type, 'rabbitmq');
    assert.equal(trigger.metadata.mode, 'QueueLength');
    assert.equal(trigger.authenticationRef.name, 'rel-factorial-worker');
  }
});

test('the scaler reads the address of the broker where the worker reads it', () => {
  const own = pick(render('production'), 'TriggerAuthentication', 'rel-factorial-worker').spec.secretTargetRef[0];
  assert.deepEqual(own, {
    parameter: 'host',
    name: 'rel-factorial-rabbitmq-default-user',
    key: 'connection_string',
  });
  const external = render('scaled-external-broker');
  const foreign = pick(external, 'TriggerAuthentication', 'rel-factorial-worker').spec.secretTargetRef[0];
  assert.deepEqual(foreign, { parameter: 'host', name: 'factorial-secrets', key: 'AMQP_URL' });
});

test('the broker keeps quorum queues and spreads over nodes', () => {
  const { spec } = pick(render('production'), 'RabbitmqCluster', 'rel-factorial-rabbitmq');
  assert.equal(spec.replicas, 3);
  assert.match(spec.rabbitmq.additionalConfig, /^default_queue_type = quorum$/m);
  assert.match(spec.rabbitmq.additionalConfig, /^cluster_partition_handling = pause_minority$/m);
  assert.ok(spec.affinity.podAntiAffinity);
});

test('the migration runs before install and upgrade, on a Secret that exists by then', () => {
  const objects = render('external-servers');
  const job = pick(objects, 'Job', 'rel-factorial-migrate');
  assert.equal(job.metadata.annotations['helm.sh/hook'], 'pre-install,pre-upgrade');
  assert.equal(job.spec.template.spec.restartPolicy, 'Never');
  const [container] = job.spec.template.spec.containers;
  const { name } = container.env.find((entry) => entry.name === 'DATABASE_URL').valueFrom.secretKeyRef;
  const secret = pick(objects, 'Secret', name);
  assert.equal(secret.metadata.annotations['helm.sh/hook'], 'pre-install,pre-upgrade');
  const weight = (object) => Number(object.metadata.annotations['helm.sh/hook-weight']);
  assert.ok(weight(secret) < weight(job));
  assert.deepEqual(Object.keys(secret.stringData), ['DATABASE_URL']);
  // The release's ConfigMap and accounts come after the hook: it may lean on neither.
  assert.equal(container.envFrom, undefined);
  assert.equal(job.spec.template.spec.serviceAccountName, undefined);
});

test('with a Secret made elsewhere the chart makes none, and every pod reads that one', () => {
  const objects = render('production');
  assert.deepEqual(ofKind(objects, 'Secret'), []);
  const job = pick(objects, 'Job', 'rel-factorial-migrate').spec.template.spec.containers[0];
  assert.equal(job.env.find((entry) => entry.name === 'DATABASE_URL').valueFrom.secretKeyRef.name, 'factorial');
  for (const { spec } of pods(ofKind(objects, 'Deployment'))) {
    assert.ok(spec.containers[0].envFrom.some(({ secretRef }) => secretRef?.name === 'factorial'));
  }
});

test('the worker has its scratch on a volume that lives and dies with the pod', () => {
  const { spec } = pick(render('production'), 'Deployment', 'rel-factorial-worker').spec.template;
  const volume = spec.volumes.find(({ name }) => name === 'scratch');
  const claim = volume.ephemeral.volumeClaimTemplate.spec;
  assert.deepEqual(claim, {
    accessModes: ['ReadWriteOnce'],
    storageClassName: 'gp3',
    resources: { requests: { storage: '200Gi' } },
  });
});

test('the worker takes no traffic but a scraper that is named, the API takes it from where the values say', () => {
  const objects = render('placed');
  assert.deepEqual(pick(render('small'), 'NetworkPolicy', 'rel-factorial-worker').spec.ingress, []);
  const [scraping] = pick(objects, 'NetworkPolicy', 'rel-digits-worker').spec.ingress;
  assert.deepEqual(scraping.ports, [{ port: 'health' }]);
  assert.equal(scraping.from[0].namespaceSelector.matchLabels['kubernetes.io/metadata.name'], 'monitoring');
  const [rule] = pick(objects, 'NetworkPolicy', 'rel-digits-api').spec.ingress;
  assert.deepEqual(rule.ports, [{ port: 'http' }]);
  assert.equal(rule.from[0].namespaceSelector.matchLabels['kubernetes.io/metadata.name'], 'ingress');
  const testPod = pick(objects, 'Pod', 'rel-digits-test').metadata.labels;
  const admitted = rule.from[1].podSelector.matchLabels;
  for (const [key, value] of Object.entries(admitted)) assert.equal(testPod[key], value);
});

test('policies let out names, the ports of the backing services, and the broker of the release', () => {
  for (const component of ['api', 'worker', 'migrate']) {
    const { spec } = pick(render('placed'), 'NetworkPolicy', `rel-digits-${component}`);
    assert.deepEqual(spec.policyTypes, ['Ingress', 'Egress']);
    const ports = spec.egress.flatMap((rule) => rule.ports.map(({ port }) => port));
    for (const port of [53, 443, 3306, 5432, 5671, 5672, 6379]) assert.ok(ports.includes(port), `${component} ${port}`);
    const peers = spec.egress.flatMap((rule) => rule.to ?? []);
    const names = peers.flatMap(({ podSelector }) => podSelector?.matchLabels['app.kubernetes.io/name'] ?? []);
    assert.deepEqual(names.sort(), ['rel-digits-rabbitmq', 'valkey']);
  }
});

test('accounts carry the annotations of IRSA', () => {
  const objects = render('production');
  const { annotations } = pick(objects, 'ServiceAccount', 'rel-factorial-worker').metadata;
  assert.match(annotations['eks.amazonaws.com/role-arn'], /role\/factorial-worker$/);
});

test('the ingress leads every host to the service, with TLS when a certificate is named', () => {
  const { spec } = pick(render('production'), 'Ingress', 'rel-factorial-api');
  assert.deepEqual(spec.tls, [{ secretName: 'factorial-tls', hosts: ['factorial.example.com'] }]);
  assert.deepEqual(
    spec.rules.map((rule) => [rule.host, rule.http.paths[0].backend.service]),
    [['factorial.example.com', { name: 'rel-factorial-api', port: { name: 'http' } }]],
  );
});

test('a cache by host gets its address from the values and its password from its Secret', () => {
  for (const { spec } of pods(ofKind(render('placed'), 'Deployment'))) {
    const { env } = spec.containers[0];
    const at = (name) => env.findIndex((entry) => entry.name === name);
    assert.equal(env[at('REDIS_URL')].value, 'redis://:$(REDIS_PASSWORD)@valkey.cache.svc:6380');
    assert.deepEqual(env[at('REDIS_PASSWORD')].valueFrom.secretKeyRef, { name: 'valkey', key: 'password' });
    assert.ok(at('REDIS_PASSWORD') < at('REDIS_URL'), 'Kubernetes expands only what is named before');
  }
});

test('a changed setting or secret rolls the pods, the same values do not', () => {
  const template = (set) => pick(render('small', set), 'Deployment', 'rel-factorial-api').spec.template;
  assert.deepEqual(template({}), template({}));
  assert.notDeepEqual(template({}), template({ 'settings.LOG_LEVEL': 'debug' }));
  assert.notDeepEqual(template({}), template({ 'secrets.API_KEYS': 'another-key-of-16-characters' }));
});

test('an image is named by digest when there is one, else by tag, else by the version of the chart', () => {
  const image = (name, set) => pods(render(name, set))[0].spec.containers[0].image;
  assert.equal(image('small'), 'factorial:0.1.0');
  assert.equal(image('external-servers'), 'registry.example.com/factorial:1.2.3');
  assert.match(image('placed'), /^factorial@sha256:1{64}$/);
});

test('the longest release name still makes valid names', () => {
  const name = 'r'.repeat(53);
  const objects = render('small', { fullnameOverride: `${name}-${name}` });
  for (const { metadata } of objects) assert.ok(`${metadata.name}-default-user`.length <= 63, metadata.name);
});

test('own authorities are mounted and trusted by API, worker and migration; without any nothing is', () => {
  const found = pods(render('external-servers')).filter(({ name }) => !name.startsWith('Pod '));
  assert.equal(found.length, 3);
  for (const { name, spec } of found) {
    const [container] = spec.containers;
    const variable = container.env.find((entry) => entry.name === 'NODE_EXTRA_CA_CERTS');
    const mount = container.volumeMounts.find((entry) => entry.name === 'ca');
    assert.equal(variable.value, `${mount.mountPath}/authorities.pem`, name);
    assert.equal(mount.readOnly, true, name);
    assert.deepEqual(spec.volumes.find((volume) => volume.name === 'ca').configMap, { name: 'authorities' }, name);
  }
  assert.doesNotMatch(JSON.stringify(render('small')), /NODE_EXTRA_CA_CERTS|"ca"/);
});

test('the migration checks the database as API and worker do', () => {
  const [container] = pick(render('production'), 'Job', 'rel-factorial-migrate').spec.template.spec.containers;
  assert.equal(container.env.find(({ name }) => name === 'DATABASE_CA_FILE').value, 'rds');
});
