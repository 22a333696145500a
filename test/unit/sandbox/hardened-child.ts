/** A child of the sandbox that is hardened as the real one, and whose job makes the attempts of hostile code. */
import { hardenProcess } from '../../../src/sandbox/harden.ts';
import { serveJobs } from '../../../src/sandbox/job-server.ts';
import { makeAttempts } from './attempts.ts';

hardenProcess();

serveJobs({ makeAttempts });
