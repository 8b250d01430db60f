import { Module } from '@nestjs/common';
import { CertificateService } from './certificate.service.ts';
import { CertificatesController } from './certificates.controller.ts';
import { KeyRepository } from './key.repository.ts';

/** What proves an erasure to somebody who was not there. */
@Module({
  controllers: [CertificatesController],
  providers: [CertificateService, KeyRepository],
  exports: [CertificateService],
})
export class CertificatesModule {}
