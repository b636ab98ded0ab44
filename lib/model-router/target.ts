import type { LoadedDirectModel } from '../config/loaded-model-router.ts';
import type { BackgroundCheck } from '../health/background-checks.ts';
import type { Instance } from '../plan.ts';
import type { AddressList } from './address-list.ts';
import type { UsageMeter } from './usage-limits.ts';

/** A direct model that requests can be sent to. Outlives configurations that do not change it. */
export interface OpenTarget {
  readonly instance: Instance;
  readonly check: BackgroundCheck | undefined;
}

/** The same within one configuration. */
export interface Target extends OpenTarget {
  readonly model: LoadedDirectModel;
  readonly addresses: AddressList | undefined;
  readonly meter: UsageMeter | undefined;
}
