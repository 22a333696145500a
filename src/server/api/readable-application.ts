/** Finds the Application of a request, if the caller may get it. */
import { refuse } from '../refuse.ts';
import { mayGetApplication } from './rights.ts';
import { NO_APPLICATION, type UserCall } from './router.ts';
import type { ApplicationIndex } from './rows.ts';
import type { KnownApplication } from './views.ts';

/** undefined: the request has been answered with a refusal, the same for an Application that does not exist. */
export async function readableApplication(
  { caller, namespace, name, response }: UserCall,
  applications: ApplicationIndex,
): Promise<KnownApplication | undefined> {
  if (!(await mayGetApplication(caller, { namespace, name }))) {
    refuse(response, 403, 'you may not get this Application');
    return undefined;
  }
  const application = applications.get(namespace, name);
  if (!application) refuse(response, 404, NO_APPLICATION);
  return application;
}
