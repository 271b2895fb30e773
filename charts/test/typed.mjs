import { ScaledObject } from '@kubernetes-models/keda/keda.sh/v1alpha1/ScaledObject';
import { TriggerAuthentication } from '@kubernetes-models/keda/keda.sh/v1alpha1/TriggerAuthentication';
import { Deployment } from 'kubernetes-models/apps/v1/Deployment';
import { HorizontalPodAutoscaler } from 'kubernetes-models/autoscaling/v2/HorizontalPodAutoscaler';
import { Job } from 'kubernetes-models/batch/v1/Job';
import { Ingress } from 'kubernetes-models/networking.k8s.io/v1/Ingress';
import { NetworkPolicy } from 'kubernetes-models/networking.k8s.io/v1/NetworkPolicy';
import { PodDisruptionBudget } from 'kubernetes-models/policy/v1/PodDisruptionBudget';
import { ConfigMap } from 'kubernetes-models/v1/ConfigMap';
import { Pod } from 'kubernetes-models/v1/Pod';
import { Secret } from 'kubernetes-models/v1/Secret';
import { Service } from 'kubernetes-models/v1/Service';
import { ServiceAccount } from 'kubernetes-models/v1/ServiceAccount';
import { RabbitmqCluster } from './rabbitmq-cluster.mjs';

const models = new Map(
  [
    ConfigMap,
    Deployment,
    HorizontalPodAutoscaler,
    Ingress,
    Job,
    NetworkPolicy,
    Pod,
    PodDisruptionBudget,
    RabbitmqCluster,
    ScaledObject,
    Secret,
    Service,
    ServiceAccount,
    TriggerAuthentication,
  ].map((model) => [`${model.apiVersion} ${model.kind}`, model]),
);

/**
 * The object seen through a proxy that notes which members are read. The validators of the models read every member they know and
 * all members of a map, so an own member that was never read is one that Kubernetes does not know.
 */
function watched(value, path, unread) {
  if (typeof value !== 'object' || value === null) return value;
  const children = new Map();
  for (const key of Object.keys(value)) {
    const childPath = Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`;
    if (!Array.isArray(value)) unread.add(childPath);
    children.set(key, { childPath, child: watched(value[key], childPath, unread) });
  }
  return new Proxy(value, {
    get(target, key) {
      const entry = children.get(key);
      if (entry === undefined) return Reflect.get(target, key);
      unread.delete(entry.childPath);
      return entry.child;
    },
  });
}

/** What is wrong with an object: unknown kind, members of a wrong type, members that do not exist. Empty when all is well. */
export function problemsOf(object) {
  const model = models.get(`${object.apiVersion} ${object.kind}`);
  if (model === undefined) return [`unknown kind ${object.apiVersion} ${object.kind}`];
  const unread = new Set();
  const seen = watched(object, object.kind, unread);
  try {
    model.prototype.validate.call(seen);
  } catch (error) {
    return [error.message];
  }
  return [...unread].map((path) => `unknown member ${path}`);
}
