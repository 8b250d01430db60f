import { VaultModule } from '@lethe/vault';
import { Module } from '@nestjs/common';

/** Ready when the vault is: what comes here next cannot do without it. */
@Module({ imports: [VaultModule] })
export class AppModule {}
