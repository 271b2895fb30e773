/** Error types of the Step Functions API that this endpoint answers with. */
export type ServiceErrorType =
  | 'ExecutionAlreadyExists'
  | 'ExecutionDoesNotExist'
  | 'ExecutionLimitExceeded'
  | 'InvalidArn'
  | 'InvalidExecutionInput'
  | 'InvalidName'
  | 'InvalidToken'
  | 'StateMachineDoesNotExist'
  | 'UnknownOperationException'
  | 'ValidationException';

/** A request that is refused: the caller's fault, answered 400 with its type. */
export class ServiceError extends Error {
  readonly type: ServiceErrorType;

  constructor(type: ServiceErrorType, message: string) {
    super(message);
    this.name = 'ServiceError';
    this.type = type;
  }
}
