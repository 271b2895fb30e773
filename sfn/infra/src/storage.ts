import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { BlockPublicAccess, Bucket, BucketEncryption, ObjectOwnership } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';

/** Prefix of every key the service writes. */
export const keyPrefix = 'factorials/';

/** The bucket of the digits: private, encrypted, kept when the stack goes; uploads that nobody completes do not stay. */
export function createBucket(scope: Construct): Bucket {
  return new Bucket(scope, 'Digits', {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    // Keys of the service: part checksums stay comparable.
    encryption: BucketEncryption.S3_MANAGED,
    enforceSSL: true,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    lifecycleRules: [{ id: 'abort-incomplete-uploads', abortIncompleteMultipartUploadAfter: Duration.days(7) }],
    removalPolicy: RemovalPolicy.RETAIN,
  });
}
