const quantity = /^[1-9][0-9]*(m|Mi|Gi|Ti)?$/;

function assertThat(condition, member, expected, got) {
  if (!condition) throw new Error(`RabbitmqCluster ${member}: expected ${expected}, got ${JSON.stringify(got)}`);
}

function assertQuantities(quantities, member) {
  for (const [name, value] of Object.entries(quantities)) {
    assertThat(['cpu', 'memory'].includes(name), member, 'cpu or memory', name);
    assertThat(quantity.test(value), `${member}.${name}`, 'a quantity', value);
  }
}

/** Every member of a free-form part is read, so that it counts as known. */
function readAll(value) {
  if (typeof value === 'object' && value !== null) for (const key of Object.keys(value)) readAll(value[key]);
}

/**
 * The members of the RabbitMQ Cluster Operator's resource that the chart uses, in the shape of the models for Kubernetes' own kinds.
 * Source: the operator's CRD rabbitmqclusters.rabbitmq.com, v1beta1.
 */
export class RabbitmqCluster {
  static apiVersion = 'rabbitmq.com/v1beta1';
  static kind = 'RabbitmqCluster';

  validate() {
    assertThat(
      this.apiVersion === RabbitmqCluster.apiVersion,
      'apiVersion',
      RabbitmqCluster.apiVersion,
      this.apiVersion,
    );
    assertThat(this.kind === RabbitmqCluster.kind, 'kind', RabbitmqCluster.kind, this.kind);
    assertThat(typeof this.metadata.name === 'string', 'metadata.name', 'a string', this.metadata.name);
    readAll(this.metadata.labels);
    const { replicas, image, resources, persistence, rabbitmq, affinity } = this.spec;
    assertThat(Number.isInteger(replicas) && replicas >= 0, 'spec.replicas', 'a count', replicas);
    assertThat(image === undefined || typeof image === 'string', 'spec.image', 'a string', image);
    assertQuantities(resources.requests, 'spec.resources.requests');
    assertQuantities(resources.limits, 'spec.resources.limits');
    assertThat(quantity.test(persistence.storage), 'spec.persistence.storage', 'a quantity', persistence.storage);
    const { storageClassName } = persistence;
    const classKnown = storageClassName === undefined || typeof storageClassName === 'string';
    assertThat(classKnown, 'spec.persistence.storageClassName', 'a string', storageClassName);
    const { additionalConfig } = rabbitmq;
    assertThat(typeof additionalConfig === 'string', 'spec.rabbitmq.additionalConfig', 'a string', additionalConfig);
    readAll(affinity);
  }
}
