import { AdminError } from './admin-error.ts';

/** The configuration that a write was about to change has been replaced meanwhile. */
export class OvertakenError extends AdminError {
  constructor() {
    super(503, 'The configuration is being replaced all the time.', { 'retry-after': '10' });
  }
}
