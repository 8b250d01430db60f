import { Column, CreateDateColumn, Entity, PrimaryColumn } from 'typeorm';

/** A customer: the controller (Art. 4(7) GDPR) of all data below it. */
@Entity('account')
export class Account {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'account_pk' })
  id!: string;

  @Column('text', { default: 'active' })
  state!: 'active' | 'suspended';

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt!: Date;
}
